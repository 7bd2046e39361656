// The limits shared through the real server, compared with those of one instance.
#include <random>

#include <gtest/gtest.h>

#include "auth/local_attempt_limiter.hpp"
#include "auth/redis_attempts.hpp"
#include "auth/shared_attempt_limiter.hpp"
#include "drivers/redis/client.hpp"
#include "support/patience.hpp"
#include "support/redis_server.hpp"
#include "support/run_task.hpp"

namespace um {
namespace {

using namespace std::chrono_literals;
using e2e::eventually;

using Answer = SharedAttempts::Answer;
using Taken = SharedAttempts::Taken;
using Busy = SharedAttempts::Busy;
using Refused = SharedAttempts::Refused;
using Outcome = SharedAttempts::Outcome;

// Two instances with one clock between them.
class SharedGuessing : public ::testing::Test {
 protected:
  struct Instance {
    explicit Instance(SharedGuessing& test)
        : client{{.endpoint = redis::parse_url(test.server_.url()).value(), .timeout = 5s},
                 test.system_},
          attempts{{.limits = {},
                    .deployment_key = Secret{"a key of sixteen bytes or more"},
                    .prefix = "um:test:",
                    .now = [&test] { return test.now_.count(); }},
                   client} {}
    std::optional<Answer> take(std::string account, std::string address = "192.0.2.1") {
      return test::run(attempts.take({.account = std::move(account), .address = std::move(address)},
                                     Deadline::never()));
    }
    // And waits until the server has heard of it.
    void end(std::string account, Taken place, Outcome outcome, std::string address = "192.0.2.1") {
      const auto before = client.stats().answers;
      attempts.end({.account = std::move(account), .address = std::move(address)}, place, outcome);
      ASSERT_TRUE(eventually([&] { return client.stats().answers > before; }));
    }
    void fail(const std::string& account, const std::string& address = "192.0.2.1") {
      const auto answer = take(account, address);
      ASSERT_TRUE(answer && std::holds_alternative<Taken>(*answer));
      end(account, std::get<Taken>(*answer), Outcome::failed, address);
    }
    redis::Client client;
    RedisAttempts attempts;
  };
  template <class Kind>
  static bool is(const std::optional<Answer>& answer) {
    return answer && std::holds_alternative<Kind>(*answer);
  }

  SystemClock system_;
  std::chrono::milliseconds now_{1'700'000'000'000};
  e2e::RedisServer server_;
  Instance one_{*this};
  Instance other_{*this};
};

TEST_F(SharedGuessing, FailuresOfAllInstancesCountTogether) {
  for (int i = 0; i < 5; ++i) {
    one_.fail("alice");
    other_.fail("alice");
  }
  for (Instance* instance : {&one_, &other_}) {
    const auto answer = instance->take("alice", "198.51.100.7");
    ASSERT_TRUE(is<Refused>(answer));
    EXPECT_GT(std::get<Refused>(*answer).wait, 14min);
    EXPECT_LE(std::get<Refused>(*answer).wait, 16min);
    EXPECT_TRUE(is<Taken>(instance->take("bob")));
  }
}

TEST_F(SharedGuessing, TheWaitIsAsLongAsItSays) {
  for (int i = 0; i < 10; ++i) one_.fail("alice");
  const auto answer = other_.take("alice");
  ASSERT_TRUE(is<Refused>(answer));
  const auto wait = std::get<Refused>(*answer).wait;
  now_ += wait - 1ms;
  EXPECT_TRUE(is<Refused>(other_.take("alice")));
  now_ += 1ms;
  EXPECT_TRUE(is<Taken>(other_.take("alice")));
}

TEST_F(SharedGuessing, AnAddressHasALimitWithWhateverAccounts) {
  for (int i = 0; i < 100; ++i) one_.fail("user-" + std::to_string(i), "192.0.2.9");
  EXPECT_TRUE(is<Refused>(other_.take("another", "192.0.2.9")));
  EXPECT_TRUE(is<Taken>(other_.take("another", "192.0.2.10")));
}

TEST_F(SharedGuessing, ManyAtOnceOnAllInstancesDoNotGetPastTheLimit) {
  std::vector<Taken> places;
  for (int i = 0; i < 10; ++i) {
    const auto answer = (i % 2 == 0 ? one_ : other_).take("alice");
    ASSERT_TRUE(is<Taken>(answer));
    places.push_back(std::get<Taken>(*answer));
  }
  EXPECT_TRUE(is<Busy>(one_.take("alice")));
  one_.end("alice", places.back(), Outcome::succeeded);
  const auto eleventh = other_.take("alice");
  ASSERT_TRUE(is<Taken>(eleventh)) << "a success gives its place back";
  EXPECT_TRUE(is<Busy>(one_.take("alice")));
}

TEST_F(SharedGuessing, ThePlacesOfAnInstanceThatDiedComeBack) {
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(is<Taken>(one_.take("alice")));
  now_ += 59s;
  EXPECT_TRUE(is<Busy>(other_.take("alice")));
  now_ += 31s;
  EXPECT_TRUE(is<Taken>(other_.take("alice")));
}

TEST_F(SharedGuessing, AMarkThatHasExpiredIsNotTakenBackTwice) {
  const auto place = one_.take("alice");
  ASSERT_TRUE(is<Taken>(place));
  server_.cli({"FLUSHALL"});
  one_.end("alice", std::get<Taken>(*place), Outcome::succeeded);
  EXPECT_EQ(server_.cli({"DBSIZE"}), "0");
}

TEST_F(SharedGuessing, MemoryIsBoundedAndEverythingExpires) {
  for (int minute = 0; minute < 40; ++minute) {
    for (int i = 0; i < 5; ++i)
      one_.fail("user-" + std::to_string(minute * 10 + i), "10.0.0." + std::to_string(minute));
    now_ += 1min;
  }
  EXPECT_EQ(server_.cli({"EVAL",
                         "local bytes, forever = 0, 0; "
                         "for _, k in ipairs(redis.call('KEYS', '*')) do "
                         "bytes = math.max(bytes, redis.call('STRLEN', k)); "
                         "if redis.call('PTTL', k) < 0 then forever = forever + 1 end end; "
                         "return (bytes <= 262144 and forever == 0) and 'fine' or 'not'",
                         "0"}),
            "fine");
  EXPECT_EQ(server_.cli({"EVAL",
                         "for _, k in ipairs(redis.call('KEYS', '*')) do "
                         "if string.find(k, 'user') or string.find(k, '10.0') then return k end "
                         "end; return 'none'",
                         "0"}),
            "none")
      << "no names of people";
}

TEST_F(SharedGuessing, TheServersOwnTimeWillDo) {
  RedisAttempts attempts{
      {.deployment_key = Secret{"a key of sixteen bytes or more"}, .prefix = "x:"}, one_.client};
  const auto answer =
      test::run(attempts.take({.account = "alice", .address = "192.0.2.1"}, Deadline::never()));
  ASSERT_TRUE(is<Taken>(answer));
  const auto seconds =
      std::chrono::duration_cast<std::chrono::seconds>(system_.wall_now().time_since_epoch());
  EXPECT_NEAR(static_cast<double>(std::get<Taken>(*answer).place),
              static_cast<double>(seconds / 30s), 1.0);
}

TEST_F(SharedGuessing, WithoutTheServerTheAnswerIsNone) {
  server_.stop();
  EXPECT_FALSE(one_.take("alice"));
  server_.start();
  EXPECT_TRUE(eventually([&] { return one_.take("alice").has_value(); }));
}

// The same story told to both: whatever LocalAttemptLimiter says, the shared one says.
TEST_F(SharedGuessing, ThePolicyIsThatOfOneInstance) {
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
      one_.end(account, std::get<Taken>(*there), failed ? Outcome::failed : Outcome::succeeded,
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

TEST_F(SharedGuessing, TheLimiterOfAnInstanceUsesIt) {
  LocalAttemptLimiter local_one{{.limits = {}}, system_};
  LocalAttemptLimiter local_other{{.limits = {}}, system_};
  SharedAttemptLimiter one{local_one, one_.attempts, system_};
  SharedAttemptLimiter other{local_other, other_.attempts, system_};
  const AttemptLimiter::Who who{.account = "alice", .address = "192.0.2.1"};
  for (int i = 0; i < 10; ++i) {
    const auto before = one_.client.stats().answers;
    auto place = test::run(one.take(who, Deadline::never()));
    ASSERT_TRUE(place);
    (*place)->failed();
    ASSERT_TRUE(eventually([&] { return one_.client.stats().answers >= before + 2; }));
  }
  const auto refused = test::run(other.take(who, Deadline::never()));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::too_many_attempts);
  server_.stop();
  EXPECT_TRUE(eventually([&] { return test::run(other.take(who, Deadline::never())).has_value(); }))
      << "without the others it knows nothing of those failures";
  EXPECT_FALSE(test::run(one.take(who, Deadline::never()))) << "but this one does";
}

TEST_F(SharedGuessing, LimitsAreChecked) {
  for (const AttemptLimits& limits :
       {AttemptLimits{.failures_per_account = 0}, AttemptLimits{.failures_per_address = 40'000},
        AttemptLimits{.window = 0min}}) {
    EXPECT_THROW(RedisAttempts({.limits = limits}, one_.client), std::invalid_argument);
  }
}

}  // namespace
}  // namespace um
