// The limits on guessing in a real PostgreSQL: the contract of AttemptStore, and the behaviour of
// the database itself.
#include <boost/asio/co_spawn.hpp>
#include <gtest/gtest.h>

#include "auth/attempts/local_attempt_limiter.hpp"
#include "auth/attempts/stored_attempt_limiter.hpp"
#include "contract/attempt_store_under_test.hpp"
#include "storage/postgres/stores.hpp"
#include "storage/postgres/testing/stage.hpp"

namespace um::test {
namespace {

using namespace std::chrono_literals;

StoredAttemptOptions options() {
  return {.deployment_key = deployment_key(), .longest_wait = 20s, .longest_call = 20s};
}

class PostgresAttemptStoreUnderTest final : public AttemptStoreUnderTest {
 public:
  class Instance final : public AttemptInstance {
   public:
    explicit Instance(PostgresAttemptStoreUnderTest& shared)
        : database_{{.url = Secret{shared.database.url()},
                     .clock = &shared.clock,
                     .statement_timeout = 20s},
                    shared.observer},
          store_{database_, [&shared] { return shared.now.count(); }} {}

    AttemptStore& store() override { return store_; }
    AttemptStore& store_by_the_servers_time() override { return store_by_the_servers_time_; }
    std::int64_t purge(std::int64_t limit = 10'000) {
      return run(store_.purge(limit, Deadline::never())).value();
    }

   private:
    PostgresDatabase database_;
    PostgresAttemptStore store_;
    PostgresAttemptStore store_by_the_servers_time_{database_};
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
  RecordingObserver observer{database};

 private:
  // Superusers connect in any case.
  void allow_connections(int limit) {
    database.admin().execute("ALTER DATABASE " + database.name() + " CONNECTION LIMIT " +
                             std::to_string(limit));
  }
  Instance one_{*this};
  Instance other_{*this};
};

INSTANTIATE_TEST_SUITE_P(Postgres, AttemptStoreContract,
                         ::testing::Values(AttemptStoreBackend{
                             "PostgreSQL",
                             [] { return std::make_unique<PostgresAttemptStoreUnderTest>(); }}),
                         attempt_store_name_of);

class StoredAttemptsTest : public ::testing::Test {
 protected:
  // The parts of the limiter of an instance over a store.
  StoredAttemptLimiter::Parts parts(AttemptStore& store) {
    return {.local = local_, .store = store, .clock = shared_.clock, .loop = loop_};
  }

  PostgresAttemptStoreUnderTest shared_;
  PostgresAttemptStoreUnderTest::Instance& one_ = shared_.one();
  LocalAttemptLimiter local_{{.limits = {}}, shared_.clock};
  boost::asio::io_context loop_{1};
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
  BlockingConnection db = shared_.database.session();
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
  StoredAttemptLimiter limiter{impatient, parts(one_.store())};
  BlockingConnection blocker = shared_.database.session();
  blocker.execute("BEGIN; LOCK TABLE attempt_cells");
  for (int i = 0; i < 10; ++i) {
    boost::asio::co_spawn(loop_, limiter.take(alice(), Deadline::never()),
                          [](const std::exception_ptr& error, const auto& place) {
                            EXPECT_TRUE(error == nullptr && place) << "the local limit holds";
                          });
  }
  while (limiter.stats().local < 10) ASSERT_GT(loop_.run_one(), 0U);
  blocker.execute("COMMIT");
  loop_.run();
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(is<Taken>(one_.take(alice()))) << i;
}

TEST_F(StoredAttemptsTest, ADatabaseThatIsAwayIsNoReasonToRefuse) {
  PostgresDatabase away{
      {.url = Secret{"postgresql://nobody@127.0.0.1:1/none"}, .clock = &shared_.clock},
      shared_.observer};
  PostgresAttemptStore store{away};
  StoredAttemptLimiter limiter{options(), parts(store)};
  EXPECT_TRUE(run(limiter.take(alice(), Deadline::never())));
  EXPECT_EQ(limiter.stats().local, 1U);
}

TEST_F(StoredAttemptsTest, LimitsAreChecked) {
  for (const AttemptLimits& limits :
       {AttemptLimits{.failures_per_account = 0}, AttemptLimits{.failures_per_address = 40'000},
        AttemptLimits{.window = 14min}}) {
    auto wrong = options();
    wrong.limits = limits;
    EXPECT_THROW(StoredAttemptLimiter(wrong, parts(one_.store())), std::invalid_argument);
  }
}

}  // namespace
}  // namespace um::test
