// The limits shared through a real PostgreSQL: the policy of all shared ones, and what is the
// database's own.
#include <gtest/gtest.h>

#include "auth/attempts/stored_attempts.hpp"
#include "contract/shared_attempts_under_test.hpp"
#include "storage/postgres/attempts.hpp"
#include "storage/postgres/testing/stage.hpp"
#include "support/postgres_changes.hpp"

namespace um::test {
namespace {

using namespace std::chrono_literals;

using Answer = SharedAttempts::Answer;

StoredAttempts::Options options() {
  return {.deployment_key = Secret{"a key of sixteen bytes or more"},
          .longest_wait = 20s,
          .longest_call = 20s};
}

class StoredUnderTest final : public SharedAttemptsUnderTest {
 public:
  class Instance final : public SharingInstance {
   public:
    explicit Instance(StoredUnderTest& shared)
        : database_{{.url = Secret{shared.database.url()},
                     .clock = &shared.clock,
                     .statement_timeout = 20s},
                    shared.observer},
          store{database_, [&shared] { return shared.now.count(); }},
          attempts_{options(), store, shared.clock, shared.loop.get_executor()},
          by_the_servers_time_{options(), store_by_the_servers_time_, shared.clock,
                               shared.loop.get_executor()},
          loop_{shared.loop} {}

    SharedAttempts& attempts() override { return attempts_; }
    SharedAttempts& attempts_by_the_servers_time() override { return by_the_servers_time_; }
    void wait_for(const std::function<void()>& end) override {
      end();
      loop_.restart();
      loop_.run();
    }
    std::int64_t purge(std::int64_t limit = 10'000) {
      return run(store.purge(limit, Deadline::never())).value();
    }

   private:
    PostgresDatabase database_;

   public:
    PostgresAttempts store;

   private:
    PostgresAttempts store_by_the_servers_time_{database_};
    StoredAttempts attempts_;
    StoredAttempts by_the_servers_time_;
    boost::asio::io_context& loop_;
  };

  Instance& one() override { return one_; }
  Instance& other() override { return other_; }
  void tidy_up() override { one_.purge(); }
  void lose_the_server() override {
    allow_connections(0);
    database.admin().execute(
        "SELECT pg_terminate_backend(pid, 20000) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()");
  }
  void find_the_server() override { allow_connections(-1); }

  const TestDatabase database;
  const SystemClock clock;
  RecordingObserver observer;
  boost::asio::io_context loop{1};

 private:
  // Of those who are no superusers.
  void allow_connections(int limit) {
    database.admin().execute("ALTER DATABASE " + database.name() + " CONNECTION LIMIT " +
                             std::to_string(limit));
  }
  Instance one_{*this};
  Instance other_{*this};
};

INSTANTIATE_TEST_SUITE_P(Stored, SharedAttemptsContract,
                         ::testing::Values(SharedAttemptsBackend{
                             "database", [] { return std::make_unique<StoredUnderTest>(); }}),
                         attempts_name_of);

class StoredAttemptsTest : public ::testing::Test {
 protected:
  StoredUnderTest shared_;
  StoredUnderTest::Instance& one_ = shared_.one();
};

TEST_F(StoredAttemptsTest, AfterAClockWasSetBackItCountsUntilThePurge) {
  for (int i = 0; i < 10; ++i) one_.fail(alice());
  shared_.now -= 24h * 365;
  EXPECT_TRUE(is<Refused>(one_.take(alice())));
  EXPECT_GT(one_.purge(), 0);
  EXPECT_TRUE(is<Taken>(one_.take(alice())));
}

TEST_F(StoredAttemptsTest, WhatIsOverIsPurgedAndWhatCountsIsNot) {
  one_.fail(alice());
  shared_.now += 15min;
  one_.fail({.account = "bob", .address = "192.0.2.2"});
  EXPECT_EQ(one_.purge(), 0);
  shared_.now += 1min;
  EXPECT_EQ(one_.purge(3), 3);
  EXPECT_EQ(one_.purge(), 5);
  EXPECT_EQ(shared_.database.session().integer("SELECT count(*) FROM attempt_cells"), 8);
}

TEST_F(StoredAttemptsTest, TheTableIsBoundedAndTellsNoCacheAnything) {
  PostgresSession db = shared_.database.session();
  taken_changes(db);
  for (int i = 0; i < 50; ++i) {
    const std::string number = std::to_string(i);
    ASSERT_TRUE(is<Taken>(one_.take({.account = "user-" + number, .address = "10.0.0." + number})));
  }
  EXPECT_EQ(taken_changes(db), "");
  EXPECT_LE(db.integer("SELECT count(*) FROM attempt_cells"), 50 * 8);
  EXPECT_LT(db.integer("SELECT max(cell) FROM attempt_cells"), 4 * (32'768 + 8'192));
  EXPECT_EQ(db.text("SELECT relpersistence FROM pg_class WHERE relname = 'attempt_cells'"), "u");
  EXPECT_TRUE(shared_.observer.take().empty());
}

TEST_F(StoredAttemptsTest, WhatComesTooLateIsNotWaitedForAndGivenBack) {
  auto impatient = options();
  impatient.longest_wait = 50ms;
  StoredAttempts attempts{impatient, one_.store, shared_.clock, shared_.loop.get_executor()};
  PostgresSession blocker = shared_.database.session();
  blocker.execute("BEGIN; LOCK TABLE attempt_cells");
  int unanswered = 0;
  for (int i = 0; i < 10; ++i) {
    boost::asio::co_spawn(shared_.loop, attempts.take(alice(), Deadline::never()),
                          [&](const std::exception_ptr& error, std::optional<Answer> answer) {
                            unanswered += error == nullptr && !answer ? 1 : 0;
                          });
  }
  shared_.loop.restart();
  while (unanswered < 10) ASSERT_GT(shared_.loop.run_one(), 0U);
  blocker.execute("COMMIT");
  shared_.loop.run();
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(is<Taken>(one_.take(alice()))) << i;
}

TEST_F(StoredAttemptsTest, ADatabaseThatIsAwayIsNoReasonToRefuse) {
  PostgresDatabase away{
      {.url = Secret{"postgresql://nobody@127.0.0.1:1/none"}, .clock = &shared_.clock},
      shared_.observer};
  PostgresAttempts store{away};
  StoredAttempts attempts{options(), store, shared_.clock, shared_.loop.get_executor()};
  EXPECT_FALSE(take(attempts, alice()));
}

TEST_F(StoredAttemptsTest, LimitsAreChecked) {
  for (const AttemptLimits& limits :
       {AttemptLimits{.failures_per_account = 0}, AttemptLimits{.failures_per_address = 40'000},
        AttemptLimits{.window = 14min}}) {
    auto wrong = options();
    wrong.limits = limits;
    EXPECT_THROW(StoredAttempts(wrong, one_.store, shared_.clock, shared_.loop.get_executor()),
                 std::invalid_argument);
  }
}

}  // namespace
}  // namespace um::test
