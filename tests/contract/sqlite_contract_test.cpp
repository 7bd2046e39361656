// The contract suites on SQLite, and on a cache around it.
#include "contract/cached_under_test.hpp"
#include "contract/recording_listener.hpp"

namespace um::test {
namespace {

#define UM_ON_SQLITE(Suite) \
  INSTANTIATE_TEST_SUITE_P(Sqlite, Suite, ::testing::Values(sqlite_backend()), name_of)

UM_ON_SQLITE(UserStoreContract);
UM_ON_SQLITE(UserSearchContract);
UM_ON_SQLITE(UserStoreConcurrencyContract);
UM_ON_SQLITE(SessionStoreContract);
UM_ON_SQLITE(SigningKeyStoreContract);
UM_ON_SQLITE(ChangeFeedContract);

// A commit of another program does not say what it changed, so it causes a flush. A writer that
// notices one does not wait for the next poll.
class SqliteFeed : public StorageContract {};
UM_ON_SQLITE(SqliteFeed);

TEST_P(SqliteFeed, AnOwnWriteNoticesACommitOfAnotherProgramFirst) {
  using EventKind = RecordingListener::Kind;
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
  EXPECT_EQ(events[0].kind, EventKind::flush);
  EXPECT_EQ(events[1].kind, EventKind::hold);
  EXPECT_EQ(events[2].kind, EventKind::settle);
}

INSTANTIATE_TEST_SUITE_P(Sqlite, CachedContract, ::testing::Values(sqlite_backend()), name_of);

Backend cached_backend() {
  return {"sqlite", [] { return std::make_unique<CachedUnderTest>(sqlite_backend()); }};
}

#define UM_ON_CACHE(Suite) \
  INSTANTIATE_TEST_SUITE_P(Cached, Suite, ::testing::Values(cached_backend()), name_of)

UM_ON_CACHE(UserStoreContract);
UM_ON_CACHE(UserSearchContract);
UM_ON_CACHE(UserStoreConcurrencyContract);
UM_ON_CACHE(SessionStoreContract);

class CachedSqlite : public CachedContract {};
INSTANTIATE_TEST_SUITE_P(Cached, CachedSqlite, ::testing::Values(sqlite_backend()), name_of);

TEST_P(CachedSqlite, WhatAnotherProgramCommittedIsSeenOnceItsFlushIsCounted) {
  const UserId id = add("ann@x.org");
  read(id);
  under_test.rename_elsewhere(id, "Elsewhere");
  poll_until([&] { return under_test.stats().coherence.flushes.contains("foreign_commit"); });
  EXPECT_EQ(read(id)->user.last_name, "Elsewhere");
}

}  // namespace
}  // namespace um::test
