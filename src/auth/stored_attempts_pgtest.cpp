// The limits shared through a real PostgreSQL, compared with those of one instance.
#include <random>

#include <gtest/gtest.h>

#include "auth/local_attempt_limiter.hpp"
#include "auth/shared_attempt_limiter.hpp"
#include "auth/stored_attempts.hpp"
#include "storage/postgres_attempts.hpp"
#include "storage/postgres_stage.hpp"
#include "support/patience.hpp"
#include "support/postgres_changes.hpp"

namespace um {
namespace {

using namespace std::chrono_literals;
using e2e::eventually;

using Answer = SharedAttempts::Answer;
using Taken = SharedAttempts::Taken;
using Busy = SharedAttempts::Busy;
using Refused = SharedAttempts::Refused;
using Outcome = SharedAttempts::Outcome;

StoredAttempts::Options options() {
  return {.deployment_key = Secret{"a key of sixteen bytes or more"},
          .longest_wait = 20s,
          .longest_call = 20s};
}

// Two instances with one clock between them.
class StoredGuessing : public ::testing::Test {
 protected:
  struct Instance {
    explicit Instance(StoredGuessing& test)
        : database{{.url = Secret{test.database_.url()},
                    .clock = &test.system_,
                    .statement_timeout = 20s},
                   test.observer_},
          store{database, [&test] { return test.now_.count(); }},
          attempts{options(), store, test.system_, test.loop_.get_executor()} {}

    std::optional<Answer> take(std::string account, std::string address = "192.0.2.1") {
      return test::run(attempts.take({.account = std::move(account), .address = std::move(address)},
                                     Deadline::never()));
    }
    PostgresDatabase database;
    PostgresAttempts store;
    StoredAttempts attempts;
  };
  // And waits until it is done.
  void end(Instance& instance, std::string account, Taken place, Outcome outcome,
           std::string address = "192.0.2.1") {
    instance.attempts.end({.account = std::move(account), .address = std::move(address)}, place,
                          outcome);
    loop_.restart();
    loop_.run();
  }
  void fail(Instance& instance, const std::string& account,
            const std::string& address = "192.0.2.1") {
    const auto answer = instance.take(account, address);
    ASSERT_TRUE(is<Taken>(answer));
    end(instance, account, std::get<Taken>(*answer), Outcome::failed, address);
  }
  template <class Kind>
  static bool is(const std::optional<Answer>& answer) {
    return answer && std::holds_alternative<Kind>(*answer);
  }

  const test::TestDatabase database_;
  SystemClock system_;
  std::chrono::milliseconds now_{1'700'000'000'000};
  test::RecordingObserver observer_;
  boost::asio::io_context loop_{1};
  Instance one_{*this};
  Instance other_{*this};
};

TEST_F(StoredGuessing, FailuresOfAllInstancesCountTogether) {
  for (int i = 0; i < 5; ++i) {
    fail(one_, "alice");
    fail(other_, "alice");
  }
  for (Instance* instance : {&one_, &other_}) {
    const auto answer = instance->take("alice", "198.51.100.7");
    ASSERT_TRUE(is<Refused>(answer));
    EXPECT_GT(std::get<Refused>(*answer).wait, 14min);
    EXPECT_LE(std::get<Refused>(*answer).wait, 16min);
    EXPECT_TRUE(is<Taken>(instance->take("bob")));
  }
}

TEST_F(StoredGuessing, TheWaitIsAsLongAsItSays) {
  for (int i = 0; i < 10; ++i) fail(one_, "alice");
  const auto answer = other_.take("alice");
  ASSERT_TRUE(is<Refused>(answer));
  const auto wait = std::get<Refused>(*answer).wait;
  now_ += wait - 1ms;
  EXPECT_TRUE(is<Refused>(other_.take("alice")));
  now_ += 1ms;
  EXPECT_TRUE(is<Taken>(other_.take("alice")));
}

TEST_F(StoredGuessing, AnAddressHasALimitWithWhateverAccounts) {
  for (int i = 0; i < 100; ++i) fail(one_, "user-" + std::to_string(i), "192.0.2.9");
  EXPECT_TRUE(is<Refused>(other_.take("another", "192.0.2.9")));
  EXPECT_TRUE(is<Taken>(other_.take("another", "192.0.2.10")));
}

TEST_F(StoredGuessing, ManyAtOnceOnAllInstancesDoNotGetPastTheLimit) {
  std::vector<Task<std::optional<Answer>>> takes;
  for (int i = 0; i < 40; ++i) {
    takes.push_back(
        (i % 2 == 0 ? one_ : other_)
            .attempts.take({.account = "alice", .address = "192.0.2.1"}, Deadline::never()));
  }
  std::vector<Taken> places;
  for (const auto& answer : test::run_all(std::move(takes))) {
    if (is<Taken>(answer))
      places.push_back(std::get<Taken>(*answer));
    else
      EXPECT_TRUE(is<Busy>(answer));
  }
  EXPECT_EQ(places.size(), 10U);
  end(one_, "alice", places.back(), Outcome::succeeded);
  EXPECT_TRUE(is<Taken>(other_.take("alice"))) << "a success gives its place back";
  EXPECT_TRUE(is<Busy>(one_.take("alice")));
}

TEST_F(StoredGuessing, ThePlacesOfAnInstanceThatDiedComeBack) {
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(is<Taken>(one_.take("alice")));
  now_ += 59s;
  EXPECT_TRUE(is<Busy>(other_.take("alice")));
  now_ += 31s;
  EXPECT_TRUE(is<Taken>(other_.take("alice")));
}

TEST_F(StoredGuessing, APlaceThatEndsLateTakesNobodyElsesAway) {
  const auto late = one_.take("alice");
  ASSERT_TRUE(is<Taken>(late));
  now_ += 5min;
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(is<Taken>(one_.take("alice")));
  end(other_, "alice", std::get<Taken>(*late), Outcome::failed);
  const auto answer = other_.take("alice");
  EXPECT_TRUE(is<Busy>(answer)) << "ten under way";
}

TEST_F(StoredGuessing, AClockThatWasSetBackLocksNobodyOut) {
  for (int i = 0; i < 10; ++i) fail(one_, "alice");
  now_ -= 24h * 365;
  EXPECT_TRUE(is<Refused>(one_.take("alice")));
  EXPECT_GT(test::run(one_.store.purge(10'000, Deadline::never())).value(), 0);
  EXPECT_TRUE(is<Taken>(one_.take("alice")));
}

TEST_F(StoredGuessing, WhatIsOverIsPurgedAndWhatCountsIsNot) {
  fail(one_, "alice");
  now_ += 15min;
  fail(one_, "bob", "192.0.2.2");
  EXPECT_EQ(test::run(one_.store.purge(10'000, Deadline::never())).value(), 0);
  now_ += 1min;
  EXPECT_EQ(test::run(one_.store.purge(3, Deadline::never())).value(), 3);
  EXPECT_EQ(test::run(one_.store.purge(10'000, Deadline::never())).value(), 5);
  EXPECT_EQ(database_.session().integer("SELECT count(*) FROM attempt_cells"), 8);
}

TEST_F(StoredGuessing, TheTableIsBoundedAndTellsNoCacheAnything) {
  PostgresSession db = database_.session();
  test::taken_changes(db);
  for (int i = 0; i < 50; ++i) {
    const std::string number = std::to_string(i);
    const AttemptLimiter::Who who{.account = "user-" + number, .address = "10.0.0." + number};
    ASSERT_TRUE(is<Taken>(one_.take(who.account, who.address)));
  }
  EXPECT_EQ(test::taken_changes(db), "");
  EXPECT_LE(db.integer("SELECT count(*) FROM attempt_cells"), 50 * 8);
  EXPECT_LT(db.integer("SELECT max(cell) FROM attempt_cells"), 4 * (32'768 + 8'192));
  EXPECT_EQ(db.text("SELECT relpersistence FROM pg_class WHERE relname = 'attempt_cells'"), "u");
  EXPECT_TRUE(observer_.take().empty());
}

TEST_F(StoredGuessing, TheServersOwnTimeWillDo) {
  PostgresAttempts store{one_.database};
  StoredAttempts attempts{options(), store, system_, loop_.get_executor()};
  const auto answer =
      test::run(attempts.take({.account = "alice", .address = "192.0.2.1"}, Deadline::never()));
  ASSERT_TRUE(is<Taken>(answer));
  const auto seconds =
      std::chrono::duration_cast<std::chrono::seconds>(system_.wall_now().time_since_epoch());
  EXPECT_NEAR(static_cast<double>(std::get<Taken>(*answer).place),
              static_cast<double>(seconds / 30s), 1.0);
}

TEST_F(StoredGuessing, WhatComesTooLateIsNotWaitedForAndGivenBack) {
  auto impatient = options();
  impatient.longest_wait = 50ms;
  StoredAttempts attempts{impatient, one_.store, system_, loop_.get_executor()};
  PostgresSession blocker = database_.session();
  blocker.execute("BEGIN; LOCK TABLE attempt_cells");
  int unanswered = 0;
  for (int i = 0; i < 10; ++i) {
    boost::asio::co_spawn(
        loop_, attempts.take({.account = "alice", .address = "192.0.2.1"}, Deadline::never()),
        [&](const std::exception_ptr& error, std::optional<Answer> answer) {
          unanswered += error == nullptr && !answer ? 1 : 0;
        });
  }
  loop_.restart();
  while (unanswered < 10) ASSERT_GT(loop_.run_one(), 0U);
  blocker.execute("COMMIT");
  loop_.run();
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(is<Taken>(one_.take("alice"))) << i;
}

TEST_F(StoredGuessing, ADatabaseThatIsAwayIsNoReasonToRefuse) {
  PostgresDatabase away{{.url = Secret{"postgresql://nobody@127.0.0.1:1/none"}, .clock = &system_},
                        observer_};
  PostgresAttempts store{away};
  StoredAttempts attempts{options(), store, system_, loop_.get_executor()};
  EXPECT_FALSE(
      test::run(attempts.take({.account = "alice", .address = "192.0.2.1"}, Deadline::never())));
}

// The same story told to both: whatever LocalAttemptLimiter says, the shared one says.
TEST_F(StoredGuessing, ThePolicyIsThatOfOneInstance) {
  ManualClock clock;
  LocalAttemptLimiter local{{.limits = {}, .waiters = 0}, clock};
  // Both windows begin with a step.
  clock.advance(60s - clock.now().time_since_epoch() % 60s);
  now_ -= now_ % 60s;
  std::mt19937 random{20240229};
  auto pick = [&](int below) { return static_cast<int>(random() % static_cast<unsigned>(below)); };
  int taken = 0;
  int refused = 0;
  for (int i = 0; i < 600; ++i) {
    const std::string account = "account-" + std::to_string(pick(4));
    const std::string address = "192.0.2." + std::to_string(pick(2));
    auto here = test::run(local.take({.account = account, .address = address}, Deadline::never()));
    const auto there = (i % 2 == 0 ? one_ : other_).take(account, address);
    ASSERT_EQ(here.has_value(), is<Taken>(there)) << i;
    if (here) {
      ++taken;
      const bool failed = pick(3) != 0;
      failed ? (*here)->failed() : (*here)->succeeded();
      end(one_, account, std::get<Taken>(*there), failed ? Outcome::failed : Outcome::succeeded,
          address);
    } else {
      ++refused;
      ASSERT_TRUE(is<Refused>(there)) << i;
      EXPECT_EQ(here.error().retry_after,
                std::chrono::ceil<std::chrono::seconds>(std::get<Refused>(*there).wait));
    }
    const auto pause = std::chrono::seconds{pick(40)};
    clock.advance(pause);
    now_ += pause;
  }
  EXPECT_GT(taken, 50);
  EXPECT_GT(refused, 50);
}

TEST_F(StoredGuessing, TheLimiterOfAnInstanceUsesIt) {
  LocalAttemptLimiter local_one{{.limits = {}}, system_};
  LocalAttemptLimiter local_other{{.limits = {}}, system_};
  SharedAttemptLimiter one{local_one, one_.attempts, system_};
  SharedAttemptLimiter other{local_other, other_.attempts, system_};
  const AttemptLimiter::Who who{.account = "alice", .address = "192.0.2.1"};
  for (int i = 0; i < 10; ++i) {
    auto place = test::run(one.take(who, Deadline::never()));
    ASSERT_TRUE(place);
    (*place)->failed();
    loop_.restart();
    loop_.run();
  }
  const auto refused = test::run(other.take(who, Deadline::never()));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::too_many_attempts);
  EXPECT_EQ(other.stats().refused, 1U);
}

TEST_F(StoredGuessing, LimitsAreChecked) {
  for (const AttemptLimits& limits :
       {AttemptLimits{.failures_per_account = 0}, AttemptLimits{.failures_per_address = 40'000},
        AttemptLimits{.window = 14min}}) {
    auto wrong = options();
    wrong.limits = limits;
    EXPECT_THROW(StoredAttempts(wrong, one_.store, system_, loop_.get_executor()),
                 std::invalid_argument);
  }
}

}  // namespace
}  // namespace um
