// The limits shared through the real server: the policy of all shared ones, and what is Redis' own.
#include <gtest/gtest.h>

#include "auth/attempts/redis_attempts.hpp"
#include "contract/shared_attempts_under_test.hpp"
#include "drivers/redis/client.hpp"
#include "support/patience.hpp"
#include "support/redis_server.hpp"

namespace um::test {
namespace {

using namespace std::chrono_literals;

class RedisUnderTest final : public SharedAttemptsUnderTest {
 public:
  class Instance final : public SharingInstance {
   public:
    explicit Instance(RedisUnderTest& shared)
        : client{{.endpoint = redis::parse_url(shared.server.url()).value(), .timeout = 5s},
                 shared.clock_},
          attempts_{{.limits = {},
                     .deployment_key = key(),
                     .prefix = "um:test:",
                     .now = [&shared] { return shared.now.count(); }},
                    client},
          by_the_servers_time_{{.deployment_key = key(), .prefix = "x:"}, client} {}

    SharedAttempts& attempts() override { return attempts_; }
    SharedAttempts& attempts_by_the_servers_time() override { return by_the_servers_time_; }
    void wait_for(const std::function<void()>& end) override {
      const auto before = client.stats().answers;
      end();
      ASSERT_TRUE(e2e::eventually([&] { return client.stats().answers > before; }));
    }

    redis::Client client;

   private:
    static Secret key() { return Secret{"a key of sixteen bytes or more"}; }

    RedisAttempts attempts_;
    RedisAttempts by_the_servers_time_;
  };

  Instance& one() override { return one_; }
  Instance& other() override { return other_; }
  void lose_the_server() override { server.stop(); }
  void find_the_server() override { server.start(); }

  e2e::RedisServer server;

 private:
  const SystemClock clock_;
  Instance one_{*this};
  Instance other_{*this};
};

INSTANTIATE_TEST_SUITE_P(Redis, SharedAttemptsContract,
                         ::testing::Values(SharedAttemptsBackend{
                             "server", [] { return std::make_unique<RedisUnderTest>(); }}),
                         name_of);

class RedisAttemptsTest : public ::testing::Test {
 protected:
  RedisUnderTest shared_;
  RedisUnderTest::Instance& one_ = shared_.one();
};

TEST_F(RedisAttemptsTest, AMarkThatHasExpiredIsNotTakenBackTwice) {
  const auto place = one_.take(alice());
  ASSERT_TRUE(is<Taken>(place));
  shared_.server.cli({"FLUSHALL"});
  one_.end(alice(), std::get<Taken>(*place), SharedAttempts::Outcome::succeeded);
  EXPECT_EQ(shared_.server.cli({"DBSIZE"}), "0");
}

TEST_F(RedisAttemptsTest, MemoryIsBoundedAndEverythingExpires) {
  for (int minute = 0; minute < 40; ++minute) {
    const std::string address = "10.0.0." + std::to_string(minute);
    for (int i = 0; i < 5; ++i)
      one_.fail({.account = "user-" + std::to_string(minute * 10 + i), .address = address});
    shared_.now += 1min;
  }
  EXPECT_EQ(shared_.server.cli({"EVAL",
                                "local bytes, forever = 0, 0; "
                                "for _, k in ipairs(redis.call('KEYS', '*')) do "
                                "bytes = math.max(bytes, redis.call('STRLEN', k)); "
                                "if redis.call('PTTL', k) < 0 then forever = forever + 1 end end; "
                                "return (bytes <= 262144 and forever == 0) and 'fine' or 'not'",
                                "0"}),
            "fine");
  EXPECT_EQ(
      shared_.server.cli({"EVAL",
                          "for _, k in ipairs(redis.call('KEYS', '*')) do "
                          "if string.find(k, 'user') or string.find(k, '10.0') then return k end "
                          "end; return 'none'",
                          "0"}),
      "none")
      << "no names of people";
}

TEST_F(RedisAttemptsTest, LimitsAreChecked) {
  for (const AttemptLimits& limits :
       {AttemptLimits{.failures_per_account = 0}, AttemptLimits{.failures_per_address = 40'000},
        AttemptLimits{.window = 0min}}) {
    EXPECT_THROW(RedisAttempts({.limits = limits}, one_.client), std::invalid_argument);
  }
}

}  // namespace
}  // namespace um::test
