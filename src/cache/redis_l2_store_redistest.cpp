// The store with a real server, as two instances use it.
#include <gtest/gtest.h>

#include "cache/l2.hpp"
#include "cache/redis_l2_store.hpp"
#include "drivers/redis/client.hpp"
#include "support/fact_samples.hpp"
#include "support/loop_thread.hpp"
#include "support/patience.hpp"
#include "support/redis_server.hpp"
#include "support/run_task.hpp"

namespace um {
namespace {

using namespace std::chrono_literals;
using e2e::eventually;
using test::same;

struct Instance {
  Instance(const std::string& url, std::string key, const Clock& clock)
      : client{{.endpoint = redis::parse_url(url).value(), .timeout = 5s}, clock, loop.loops()},
        store{{.deployment_key = Secret{std::move(key)}, .hint_ttl = 20s, .hint_wait = 20s},
              client,
              clock} {}
  bool connected() {
    return eventually([&] { return client.stats().connected == 1; });
  }
  std::optional<Fact> get(const std::string& key) {
    return test::run(store.get(key, Deadline::never()));
  }
  test::LoopThread loop;
  redis::Client client;
  RedisL2Store store;
};

class SharedFacts : public ::testing::Test {
 protected:
  static constexpr const char* kKey = "a key of sixteen bytes or more";
  SystemClock clock_;
  e2e::RedisServer server_;
  Instance one_{server_.url(), kKey, clock_};
  Instance other_{server_.url(), kKey, clock_};
  const Fact user_ = test::fact_of(test::full_user());
};

TEST_F(SharedFacts, WhatOnePutsTheOtherGets) {
  ASSERT_TRUE(one_.connected());
  const Fact session = test::fact_of(test::full_session());
  const std::string sid = test::key_of(test::full_session());
  one_.store.put("user:42", user_);
  one_.store.put(sid, session);
  one_.store.put("email:a@b", {.value = Absent{}, .read_in = test::sample_stamp()});
  EXPECT_TRUE(eventually([&] { return one_.client.stats().answers == 3; }));
  const auto user_found = other_.get("user:42");
  const auto session_found = other_.get(sid);
  const auto absent_found = other_.get("email:a@b");
  ASSERT_TRUE(user_found && session_found && absent_found);
  EXPECT_TRUE(same(*user_found, user_));
  EXPECT_TRUE(same(*session_found, session));
  EXPECT_TRUE(std::holds_alternative<Absent>(absent_found->value));
  const std::string names = server_.cli({"KEYS", "*"});
  for (const std::string& secret : {sid, std::string{"a@b"}, std::string{"42"}})
    EXPECT_EQ(names.find(":" + secret), std::string::npos);
  EXPECT_EQ(server_.cli({"EVAL",
                         "local n = 0; for _, k in ipairs(redis.call('KEYS', '*')) do "
                         "local t = redis.call('PTTL', k); "
                         "if t > 0 and t <= 330000 then n = n + 1 end end; return n",
                         "0"}),
            "3")
      << "every entry expires";
}

TEST_F(SharedFacts, AnEntryMovedToAnotherNameIsNotBelieved) {
  ASSERT_TRUE(one_.connected());
  one_.store.put("user:42", user_);
  EXPECT_TRUE(eventually([&] { return one_.client.stats().answers == 1; }));
  const FactSeal seal{Secret{kKey}};
  server_.cli({"RENAME", seal.name("user:42"), seal.name("user:7")});
  EXPECT_FALSE(other_.get("user:7"));
  EXPECT_EQ(other_.store.stats().refused.at(static_cast<std::size_t>(EntryFault::forged)), 1u);
}

TEST_F(SharedFacts, DeploymentsInOneServerDoNotMeet) {
  Instance foreign{server_.url(), "a key of another deployment...", clock_};
  ASSERT_TRUE(one_.connected());
  one_.store.put("user:42", user_);
  EXPECT_TRUE(eventually([&] { return one_.client.stats().answers == 1; }));
  EXPECT_FALSE(foreign.get("user:42"));
  EXPECT_EQ(foreign.store.stats().absent, 1u);
}

TEST_F(SharedFacts, AColdKeyIsAskedForOnce) {
  EXPECT_FALSE(one_.get("user:42"));
  EXPECT_FALSE(other_.get("user:42"));
  EXPECT_FALSE(test::run(one_.store.wait_for_other("user:42", Deadline::never())));
  EXPECT_EQ(one_.store.stats().hints, 1u) << "its turn";
  // The second store waits on a loop of its own while the first one puts a fact.
  std::optional<Fact> received;
  std::jthread waiting{
      [&] { received = test::run(other_.store.wait_for_other("user:42", Deadline::never())); }};
  EXPECT_TRUE(eventually([&] { return other_.store.stats().waits == 1; }));
  one_.store.put("user:42", user_);
  waiting.join();
  ASSERT_TRUE(received);
  EXPECT_TRUE(same(*received, user_));
  EXPECT_TRUE(eventually([&] { return server_.cli({"DBSIZE"}) == "1"; })) << "the hint is gone";
}

// Another instance has announced that it asks the primary.
TEST_F(SharedFacts, NobodyWaitsForALoadWithARefusedFact) {
  ASSERT_TRUE(one_.connected() && other_.connected());
  one_.store.put("user:42", user_);
  EXPECT_FALSE(test::run(one_.store.wait_for_other("user:42", Deadline::never())));
  ASSERT_EQ(one_.store.stats().hints, 1u);
  Coherence coherence{{.capacity_bytes = 1 << 20}};
  const Xid later = user_.read_in.snapshot.xmax + 1;
  coherence.apply(
      {.sent_at = clock_.now(), .stamp = {.tau = user_.read_in.tau, .snapshot = {.xmax = later}}});
  L2 level{coherence, &other_.store};
  EXPECT_FALSE(test::run(level.fetch(EntryKind::user, "user:42", Deadline::never())));
  EXPECT_EQ(level.stats().refused, 1u);
  EXPECT_EQ(other_.store.stats().waits, 0u);
  EXPECT_EQ(other_.store.stats().hints, 0u);
}

TEST_F(SharedFacts, ForgottenMeansGone) {
  ASSERT_TRUE(one_.connected());
  one_.store.put("user:42", user_);
  EXPECT_TRUE(eventually([&] { return one_.client.stats().answers == 1; }));
  EXPECT_TRUE(test::run(other_.store.forget("user:42", Deadline::never())));
  EXPECT_FALSE(one_.get("user:42"));
}

TEST_F(SharedFacts, AValueOfAnotherTypeIsAMiss) {
  const FactSeal seal{Secret{kKey}};
  server_.cli({"LPUSH", seal.name("user:42"), "x"});
  EXPECT_FALSE(one_.get("user:42"));
  EXPECT_EQ(one_.store.stats().unreachable, 1u);
}

}  // namespace
}  // namespace um
