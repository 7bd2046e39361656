// The contract suites on SQLite.
#include "contract/recording_listener.hpp"
#include "contract/sqlite_setup.hpp"

namespace um::test {

#define UM_ON_SQLITE(Suite) \
  INSTANTIATE_TEST_SUITE_P(Sqlite, Suite, ::testing::Values(sqlite_backend()), name_of)

UM_ON_SQLITE(UserStoreContract);
UM_ON_SQLITE(UserSearchContract);
UM_ON_SQLITE(UserStoreConcurrencyContract);
UM_ON_SQLITE(SessionStoreContract);
UM_ON_SQLITE(SigningKeyStoreContract);
UM_ON_SQLITE(ChangeFeedContract);

// A commit of another program says nothing about what it changed, so memory starts from nothing;
// a writer that finds one does not wait for the poll.
class SqliteFeed : public StorageContract {};
UM_ON_SQLITE(SqliteFeed);

TEST_P(SqliteFeed, AnOwnWriteNoticesACommitOfAnotherProgramFirst) {
  using Kind = RecordingListener::Kind;
  const UserId id = insert(named("one@x.org"))->user.id;
  RecordingListener listener;
  changes().start(listener);
  EXPECT_TRUE(listener.await_apply());
  listener.take();
  under_test().rename_elsewhere(id, "elsewhere");
  EXPECT_TRUE(update(id, {.first_name = "A"}));  // the clock stands still: no poll in between
  changes().stop();
  const auto events = listener.take();
  ASSERT_EQ(events.size(), 3U);
  EXPECT_EQ(events[0].kind, Kind::flush);
  EXPECT_EQ(events[1].kind, Kind::hold);
  EXPECT_EQ(events[2].kind, Kind::settle);
}

}  // namespace um::test
