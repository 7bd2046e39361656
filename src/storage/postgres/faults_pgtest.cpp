// A connection is lost around COMMIT: callers get the true outcome.
#include <atomic>
#include <future>

#include <gmock/gmock.h>

#include "storage/postgres/testing/stage.hpp"
#include "storage/postgres/usage_writes.hpp"
#include "support/patience.hpp"
#include "support/tcp_gate.hpp"

namespace um {
namespace {

using namespace std::chrono_literals;

// A busy machine has to reach the commit before it.
constexpr auto kUntilTheFault = 1s;

class PostgresFaults : public ::testing::Test, protected test::PostgresStage {
 protected:
  // The port and the URL of the database, with the gate in between.
  static int port_of(const std::string& url) {
    const auto colon = url.rfind(':');
    return std::stoi(url.substr(colon + 1));
  }
  std::string through_gate() const {
    std::string url = db.url();
    const std::string port = std::to_string(port_of(url));
    return url.replace(url.rfind(port), port.size(), std::to_string(gate.port()));
  }
  void end_all_backends() {
    db.admin().run(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()");
  }
  // Runs `fault` once, before COMMIT.
  void at_commit(std::function<void()> fault) {
    observer.on_commit = [this, fault] {
      if (!std::exchange(done_, true)) fault();
    };
  }
  // Calls of `far` that passed their deadline.
  std::uint64_t given_up() {
    std::uint64_t count = 0;
    for (const PublishedNumber& number : far.database.stats().client)
      if (number.text.name == "postgresql_calls_given_up_total") count += number.value;
    return count;
  }
  Result<UserRef> rename(UserStore& store, UserId id) {
    return test::run(store.update({.id = id, .change = {.first_name = "new"}}, kNever));
  }

  test::TcpGate gate{port_of(db.url())};
  test::PostgresStores far{through_gate(), clock, observer};

 private:
  bool done_ = false;
};

TEST_F(PostgresFaults, AConnectionThatWasLostBeforeTheChangeIsReplaced) {
  const UserId id = add("one@x.org");
  at_commit([&] { end_all_backends(); });
  EXPECT_TRUE(rename(far.users, id));
  EXPECT_EQ(find(id)->user.first_name, "new");
}

TEST_F(PostgresFaults, AChangeThatNeverArrivedIsNoSuccess) {
  const UserId id = add("one@x.org");
  ASSERT_TRUE(rename(far.users, id));
  observer.take();
  at_commit([&] { gate.black_hole(); });
  auto writing = std::async(std::launch::async, [&] {
    return test::run(far.users.update({.id = id, .change = {.first_name = "never"}},
                                      Deadline{BootClock::now() + kUntilTheFault}));
  });
  ASSERT_TRUE(e2e::eventually([&] { return given_up() > 0; }));
  gate.cut();
  gate.let_through();
  const auto renamed = writing.get();
  ASSERT_FALSE(renamed);
  EXPECT_EQ(renamed.error().code, ErrorCode::unavailable);
  const auto writes = observer.take();
  ASSERT_EQ(writes.size(), 1U);
  EXPECT_TRUE(writes[0].ended);
  EXPECT_FALSE(writes[0].xid);
  EXPECT_EQ(find(id)->user.first_name, "new");
}

TEST_F(PostgresFaults, ACommitWhoseAnswerWasLostIsASuccess) {
  const UserId id = add("one@x.org");
  observer.take();
  at_commit([&] { gate.swallow_answers(); });
  const auto renamed = rename(far.users, id);
  ASSERT_TRUE(renamed) << renamed.error().detail;
  EXPECT_EQ((*renamed)->json, find(id)->json);
  EXPECT_EQ((*renamed)->user.first_name, "new");
  const auto writes = observer.take();
  ASSERT_EQ(writes.size(), 1U);
  EXPECT_TRUE(writes[0].xid);
}

TEST_F(PostgresFaults, UsageWhoseAnswerWasLostCountsOnce) {
  const UserId id = add("one@x.org");
  at_commit([&] { gate.swallow_answers(); });
  const auto added =
      test::run(far.users.add_usage({.user = id, .amount = *Usd::from_micros(5)}, kNever));
  ASSERT_TRUE(added) << added.error().detail;
  EXPECT_EQ(added->used_usd.micros(), 5);
  EXPECT_EQ(find(id)->user.used_usd.micros(), 5);
}

TEST_F(PostgresFaults, AServerThatStaysAwayLeavesTheOutcomeUnknown) {
  const UserId id = add("one@x.org");
  observer.take();
  test::PostgresStores impatient{through_gate(), clock, observer, 50ms};
  ASSERT_TRUE(test::run(impatient.users.end_sessions(id, kNever)));
  observer.take();
  at_commit([&] { gate.black_hole(); });
  const Deadline soon{BootClock::now() + kUntilTheFault};
  const auto renamed =
      test::run(impatient.users.update({.id = id, .change = {.first_name = "new"}}, soon));
  ASSERT_FALSE(renamed);
  EXPECT_EQ(renamed.error().code, ErrorCode::unknown_outcome);
  // As long as nobody knows whether the transaction has ended, no value may be cached.
  EXPECT_FALSE(observer.take().at(0).ended);
}

// Commits wait for a standby that does not exist, also those that remove the database.
class Unconfirmed {
 public:
  explicit Unconfirmed(BlockingConnection& admin) : admin_{admin} {
    test::alter_system(admin_, "synchronous_standby_names", "nosuch");
  }
  Unconfirmed(const Unconfirmed&) = delete;
  Unconfirmed& operator=(const Unconfirmed&) = delete;
  ~Unconfirmed() { test::alter_system(admin_, "synchronous_standby_names", ""); }

 private:
  BlockingConnection& admin_;
};

// The change is visible, and a failover would undo it: no standby has it.
TEST(PostgresUnconfirmedCommit, IsNotAnsweredAsMadeAfterItsServerProcessWasEnded) {
  const test::PostgresServer server;
  const test::TestDatabase database{server, test::TestDatabase::Content::migrated};
  const ManualClock clock;
  test::RecordingObserver observer{database};
  test::PostgresStores stores{database.url(), clock, observer, 300ms};
  const auto added =
      test::run(stores.users.insert({.email = Email::parse("one@x.org").value()}, Deadline{}));
  ASSERT_TRUE(added);
  const UserId id = (*added)->user.id;
  auto admin = database.admin();
  const Unconfirmed commits{admin};

  auto writing = std::async(std::launch::async, [&] {
    return test::run(stores.users.update({.id = id, .change = {.first_name = "new"}},
                                         Deadline{BootClock::now() + 2s}));
  });
  ASSERT_TRUE(e2e::eventually([&] {
    return admin.integer(
               "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
               " WHERE wait_event = 'SyncRep'") > 0;
  }));
  const auto renamed = writing.get();
  ASSERT_FALSE(renamed);
  EXPECT_EQ(renamed.error().code, ErrorCode::unknown_outcome);
  EXPECT_EQ(admin.text("SELECT first_name FROM users"), "new");
}

TEST_F(PostgresFaults, ReadsAfterALostConnectionSucceedOnTheNext) {
  const UserId id = add("one@x.org");
  ASSERT_TRUE(test::run(far.users.find(id, {})));
  gate.cut();
  bool found = false;
  for (int i = 0; i < 100 && !found; ++i) {
    const auto reading = test::run(far.users.find(id, {}));
    found = reading.has_value();
    if (!found) {
      EXPECT_EQ(reading.error().code, ErrorCode::unavailable);
    }
  }
  EXPECT_TRUE(found);
}

TEST_F(PostgresFaults, ADeadlockIsTriedAgainAndSeenByNobody) {
  const UserId one = add("one@x.org");
  const UserId two = add("two@x.org");
  // Another program locks the same two users in the other order, with a longer timeout.
  auto other = db.admin();
  other.execute("BEGIN; SET deadlock_timeout = '60s'; SELECT FROM users WHERE id = " + two.text() +
                " FOR UPDATE");
  const std::vector<UsageRecord> usages{{.user = one, .amount = *Usd::from_micros(1)},
                                        {.user = two, .amount = *Usd::from_micros(2)}};
  std::thread writer{[&] {
    const auto answers = test::run(
        record_usage(stores.database, usages, {.now = clock.wall_now(), .deadline = kNever}));
    EXPECT_TRUE(answers && answers->at(0) && answers->at(1));
  }};
  auto watcher = db.admin();
  while (watcher.integer("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                         " AND datname = current_database()") == 0) {
    std::this_thread::yield();
  }
  other.execute("UPDATE users SET first_name = 'x' WHERE id = " + one.text() + "; COMMIT");
  writer.join();
  EXPECT_EQ(find(one)->user.used_usd.micros(), 1);
  EXPECT_EQ(find(two)->user.used_usd.micros(), 2);
  EXPECT_EQ(find(one)->user.first_name, "x");
}

}  // namespace
}  // namespace um
