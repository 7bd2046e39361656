// Redis under load, in every bad state: no request fails or waits long because of it, no answer is
// wrong, and L2 is used again when Redis works.
#include <gtest/gtest.h>

#include "chaos/load.hpp"

namespace um::e2e {
namespace {

using namespace std::chrono_literals;

// The time that Redis may add to one request: `redis-timeout` for all its reads, and the delays of
// a busy machine.
constexpr auto kMostWaiting = 50ms;
constexpr auto kBusyMachine = 250ms;
// A write whose acknowledgements come late waits for T + ε, Redis or no Redis.
constexpr auto kLateAcknowledgement = 506ms;
// The same for the typical request.
constexpr auto kUsualWaiting = 60ms;

// Moves, truncates or changes every value.
constexpr const char* kPoison = R"(
  local names = redis.call('keys', 'um:*')
  local all = {}
  for i, name in ipairs(names) do
    if redis.call('type', name).ok == 'string' then
      all[#all + 1] = {name, redis.call('get', name)}
    end
  end
  for i, entry in ipairs(all) do
    local value = entry[2]
    if i % 3 == 0 then
      value = all[i % #all + 1][2]
    elseif i % 3 == 1 then
      value = string.sub(value, 1, math.floor(#value / 2))
    else
      value = string.sub(value, 1, #value - 1) .. 'x'
    end
    redis.call('set', entry[1], value, 'keepttl')
  end
  return #all)";

class RedisChaos : public ::testing::Test {
 protected:
  void SetUp() override { fleet_.stage().add("probe"); }

  RedisServer& redis() { return fleet_.redis(); }

  std::int64_t shared_hits() {
    std::int64_t hits = 0;
    for (std::size_t i = 0; i < fleet_.size(); ++i) hits += fleet_.cache_stat(i, "/hits/l2/total");
    return hits;
  }

  // One instance reads from the database, and the other gets the facts from Redis.
  bool helps() {
    auto writer = fleet_.client(0);
    auto reader = fleet_.client(1);
    const auto read = fleet_.as("admin", "GET /user/<probe>");
    const auto before = fleet_.cache_stat(1, "/hits/l2/total");
    return eventually([&] {
      const auto patch = fleet_.as("admin", "PATCH /user/<probe>",
                                   R"({"last_name": ")" + std::to_string(++names_) + R"("})");
      EXPECT_EQ(writer.send(patch).status, 200U);
      const auto seen = [&](HttpClient& client) {
        const auto answer = client.send(read);
        return answer.body.find("\"last_name\":\"" + std::to_string(names_) + "\"") !=
               std::string::npos;
      };
      EXPECT_TRUE(eventually([&] { return seen(writer); }));
      EXPECT_TRUE(eventually([&] { return seen(reader); }));
      // The first reads find the key held, and ask the primary.
      return eventually(
          [&] { return seen(reader) && fleet_.cache_stat(1, "/hits/l2/total") > before; }, 500ms);
    });
  }

  // `during`: called repeatedly while Redis is in that state.
  struct Fault {
    std::string name;
    std::function<void()> begin;
    std::function<void()> end;
    std::function<void()> during = [] {};
  };
  void expect_harmless(const Fault& fault) {
    SCOPED_TRACE(fault.name);
    EXPECT_TRUE(helps()) << "before";
    Load load{fleet_};
    load.wait_for_writes(30);
    const auto begun = BootClock::now();
    fault.begin();
    for (int i = 0; i < 3; ++i) {
      fault.during();
      load.wait_for_writes(10);
    }
    const auto ended = BootClock::now();
    fault.end();
    const auto hits = shared_hits();
    EXPECT_TRUE(helps()) << "it does not come back";
    const auto back = BootClock::now() - ended;
    load.stop();
    load.expect_kept_promises();
    EXPECT_EQ(load.refused(), 0U) << "requests failed because of Redis";
    EXPECT_GT(shared_hits(), hits);

    const Load::Phase before{.to = begun};
    const Load::Phase meanwhile{.from = begun, .to = ended};
    EXPECT_LT(load.slowest(meanwhile),
              load.slowest(before) + kMostWaiting + kBusyMachine + kLateAcknowledgement);
    EXPECT_LT(load.took_at_most(0.9, meanwhile), load.took_at_most(0.9, before) + kUsualWaiting);
    note_figure(fault.name + ", slowest before", load.slowest(before));
    note_figure(fault.name + ", slowest", load.slowest(meanwhile));
    note_figure(fault.name + ", helps again", back);
  }

  Fleet fleet_{{.redis = FleetOptions::Redis::yes}};
  int names_ = 0;
};

TEST_F(RedisChaos, SilentOrGone) {
  expect_harmless({.name = "stopped by a signal",
                   .begin = [&] { redis().pause(); },
                   .end = [&] { redis().resume(); }});
  expect_harmless({.name = "killed, and back empty",
                   .begin = [&] { redis().stop(); },
                   .end = [&] { redis().start(); }});
}

// Every call waits for about 20 ms: too short to open the circuit breaker.
TEST_F(RedisChaos, Slow) {
  std::unique_ptr<Process> pauses;
  expect_harmless(
      {.name = "slow",
       .begin =
           [&] {
             pauses = std::make_unique<Process>(
                 Command{.program = "/usr/bin/redis-cli",
                         .arguments = {"-h", "127.0.0.1", "-p", std::to_string(redis().port()),
                                       "-r", "100000", "-i", "0.005", "CLIENT", "PAUSE", "20"}});
           },
       .end = [&] { pauses.reset(); }});
}

TEST_F(RedisChaos, OnlyReads) {
  expect_harmless({.name = "a replica of nobody",
                   .begin = [&] { redis().cli({"REPLICAOF", "127.0.0.1", "1"}); },
                   .end = [&] { redis().cli({"REPLICAOF", "NO", "ONE"}); }});
}

TEST_F(RedisChaos, AnotherServerInItsPlace) {
  std::unique_ptr<ServerUnderTest> other;
  const test::TempDirectory directory;
  expect_harmless(
      {.name = "a server of HTTP on its port",
       .begin =
           [&] {
             redis().stop();
             other = std::make_unique<ServerUnderTest>(ServeOptions{
                 .arguments = {"--listen", "127.0.0.1:" + std::to_string(redis().port())},
                 .database = directory.file("users.db")});
           },
       .end =
           [&] {
             other.reset();
             redis().start();
           }});
}

TEST_F(RedisChaos, RefusesToWork) {
  expect_harmless({.name = "full",
                   .begin = [&] { redis().cli({"CONFIG", "SET", "maxmemory", "1"}); },
                   .end = [&] { redis().cli({"CONFIG", "SET", "maxmemory", "0"}); }});
  expect_harmless(
      {.name = "a password all of a sudden",
       .begin =
           [&] {
             redis().cli({"CONFIG", "SET", "requirepass", "sesame"});
             redis().cli({"-a", "sesame", "CLIENT", "KILL", "TYPE", "normal"});
           },
       .end = [&] { redis().cli({"-a", "sesame", "CONFIG", "SET", "requirepass", ""}); }});
}

TEST_F(RedisChaos, LosesOrFalsifiesWhatItKeeps) {
  expect_harmless({.name = "emptied",
                   .begin = [] {},
                   .end = [] {},
                   .during = [&] { EXPECT_EQ(redis().cli({"FLUSHALL"}), "OK"); }});
  int poisoned = 0;
  expect_harmless({.name = "falsified",
                   .begin = [] {},
                   .end = [] {},
                   .during =
                       [&] {
                         for (int i = 0; i < 10; ++i)
                           poisoned += std::stoi(redis().cli({"EVAL", kPoison, "0"}));
                       }});
  EXPECT_GT(poisoned, 100) << "nothing was falsified";
  // The instances have read them.
  const auto metrics = fleet_.client(1).send({.target = "/metrics"}).body;
  EXPECT_TRUE(std::regex_search(metrics, std::regex{"forged\"\\} [1-9]"})) << metrics;
}

}  // namespace
}  // namespace um::e2e
