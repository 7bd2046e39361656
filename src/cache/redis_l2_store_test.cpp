// The store with a server that misbehaves: every fault is a miss, and counted.
#include "cache/redis_l2_store.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "drivers/redis/client.hpp"
#include "support/fact_samples.hpp"
#include "support/fake_redis.hpp"
#include "support/loop_thread.hpp"
#include "support/patience.hpp"
#include "support/run_task.hpp"

namespace um {
namespace {

using namespace std::chrono_literals;
using e2e::eventually;
using test::FakeRedis;
using test::same;
using Words = std::vector<std::string>;

const Secret kDeploymentKey{"a key of sixteen bytes or more"};

class RedisL2 : public ::testing::Test {
 protected:
  void start(std::function<std::string(const Words&)> answer) {
    server_ =
        std::make_unique<FakeRedis>(FakeRedis::greeting_then([this, answer](const Words& words) {
          {
            const std::lock_guard lock{mutex_};
            seen_.push_back(words);
          }
          return answer(words);
        }));
    client_ = std::make_unique<redis::Client>(
        redis::ClientOptions{.endpoint = redis::parse_url(server_->url()).value(), .timeout = 5s},
        clock_, loop_.loops());
    store_ = std::make_unique<RedisL2Store>(
        RedisL2Options{.deployment_key = kDeploymentKey, .hint_wait = 5s}, *client_, clock_);
  }
  // Answers every command with the same bytes.
  void start_saying(const std::string& bytes) {
    start([bytes](const Words&) { return bytes; });
  }
  static std::string text(const std::string& bytes) {
    return "$" + std::to_string(bytes.size()) + "\r\n" + bytes + "\r\n";
  }
  std::optional<Fact> get(const std::string& key) {
    return test::run(store_->get(key, Deadline::never()));
  }
  std::optional<Fact> wait_for_other(const std::string& key) {
    return test::run(store_->wait_for_other(key, Deadline::never()));
  }
  std::uint64_t refused(EntryFault fault) const {
    return store_->stats().refused.at(static_cast<std::size_t>(fault));
  }
  std::vector<Words> seen() {
    const std::lock_guard lock{mutex_};
    return seen_;
  }

  SystemClock clock_;
  std::mutex mutex_;
  std::vector<Words> seen_;  // guarded by mutex_
  std::unique_ptr<FakeRedis> server_;
  test::LoopThread loop_;
  std::unique_ptr<redis::Client> client_;
  std::unique_ptr<RedisL2Store> store_;
  const FactSeal seal_{kDeploymentKey};
  const Fact user_ = test::fact_of(test::full_user());
};

TEST_F(RedisL2, AFactIsFoundUnderAHiddenName) {
  start_saying(text(seal_.seal("user:42", user_)));
  const auto fact = get("user:42");
  ASSERT_TRUE(fact);
  EXPECT_TRUE(same(*fact, user_));
  EXPECT_EQ(seen(), (std::vector<Words>{{"GET", seal_.name("user:42")}}));
}

TEST_F(RedisL2, WhatCannotBeBelievedIsAMissAndCountedByReason) {
  struct Case {
    std::string reply;
    EntryFault fault;
  };
  const std::string entry = seal_.seal("user:42", user_);
  const FactSeal other{Secret{"a key of another deployment..."}};
  for (const auto& [reply, fault] : {
           Case{text("x"), EntryFault::truncated},
           Case{text(entry.substr(0, entry.size() - 1)), EntryFault::forged},
           Case{text(seal_.seal("user:43", user_)), EntryFault::forged},
           Case{text(other.seal("user:42", user_)), EntryFault::forged},
           Case{text(std::string(100, 'x')), EntryFault::foreign},
           Case{text(std::string(100'000, 'x')), EntryFault::oversized},
           Case{text(seal_.seal("user:42", test::fact_of(test::plain_user()))),
                EntryFault::malformed},
           Case{":1\r\n", EntryFault::foreign},
           Case{"+OK\r\n", EntryFault::foreign},
           Case{"*1\r\n" + text(entry), EntryFault::foreign},
       }) {
    start_saying(reply);
    EXPECT_FALSE(get("user:42"));
    EXPECT_EQ(refused(fault), 1u) << to_string(fault);
    EXPECT_EQ(store_->stats().facts, 0u);
  }
}

TEST_F(RedisL2, NothingThereAndNobodyThereAreMisses) {
  start_saying("$-1\r\n");
  EXPECT_FALSE(get("user:42"));
  EXPECT_EQ(store_->stats().absent, 1u);
  server_.reset();
  EXPECT_FALSE(get("user:42"));
  EXPECT_EQ(store_->stats().unreachable, 1u);
  start_saying("-OOM full\r\n");
  EXPECT_FALSE(get("user:42"));
  EXPECT_EQ(store_->stats().unreachable, 1u);
}

TEST_F(RedisL2, AFactIsPutWithItsSealAndALifetimeThatVaries) {
  start_saying("+OK\r\n");
  constexpr int kPuts = 50;
  ASSERT_TRUE(eventually([&] { return client_->stats().connected == 1; }));
  for (int i = 0; i < kPuts; ++i) store_->put("user:42", user_);
  ASSERT_TRUE(eventually([&] { return client_->stats().answers == kPuts; }));
  std::set<int> lifetimes;
  for (const Words& words : seen()) {
    ASSERT_EQ(words.size(), 5u);
    EXPECT_EQ(words[0], "SET");
    EXPECT_EQ(words[1], seal_.name("user:42"));
    EXPECT_EQ(words[2], seal_.seal("user:42", user_));
    EXPECT_EQ(words[3], "PX");
    lifetimes.insert(std::stoi(words[4]));
  }
  EXPECT_GE(*lifetimes.begin(), 270'000);
  EXPECT_LE(*lifetimes.rbegin(), 330'000);
  EXPECT_GT(lifetimes.size(), 10u);
}

TEST_F(RedisL2, WithoutANamespaceOrTooLargeNothingIsPut) {
  start_saying("+OK\r\n");
  Fact nowhere = user_;
  nowhere.read_in.tau = Tau{};
  store_->put("user:42", nowhere);
  Fact large = user_;
  large.read_in.snapshot.xmax = 100'000;
  for (Xid xid = 60'000; xid < 70'000; ++xid) large.read_in.snapshot.xip.push_back(xid);
  store_->put("user:42", large);
  store_->put("user:42", {.value = UserRef{}, .read_in = test::sample_stamp()});
  EXPECT_EQ(store_->stats().not_put, 3u);
  EXPECT_EQ(store_->stats().puts, 0u);
}

TEST_F(RedisL2, WhoAsksFirstSetsTheHintAndRemovesItWithTheFact) {
  start_saying("+OK\r\n");
  ASSERT_TRUE(eventually([&] { return client_->stats().connected == 1; }));
  EXPECT_FALSE(wait_for_other("user:42"));
  EXPECT_EQ(store_->stats().hints, 1u);
  store_->put("user:42", user_);
  store_->put("user:42", user_);
  ASSERT_TRUE(eventually([&] { return client_->stats().answers == 4; }));
  const std::vector<Words> commands = seen();
  const std::string hint = seal_.name("user:42") + ":l";
  EXPECT_EQ(commands[0], (Words{"SET", hint, "1", "NX", "PX", "100"}));
  EXPECT_EQ(commands[1].front(), "SET");
  EXPECT_EQ(commands[2], (Words{"UNLINK", hint}));
  EXPECT_EQ(commands[3].front(), "SET");
}

TEST_F(RedisL2, WhoComesSecondGetsTheFactOfTheFirst) {
  std::atomic<int> looks{0};
  start([&](const Words& words) -> std::string {
    if (words[0] == "SET") return "$-1\r\n";  // another instance has set the hint
    const std::string there = ++looks < 3 ? "$-1\r\n" : text(seal_.seal("user:42", user_));
    return "*2\r\n" + there + "$1\r\n1\r\n";
  });
  const auto fact = wait_for_other("user:42");
  ASSERT_TRUE(fact);
  EXPECT_TRUE(same(*fact, user_));
  EXPECT_EQ(looks, 3);
  EXPECT_EQ(store_->stats().waits, 1u);
  EXPECT_EQ(store_->stats().received, 1u);
}

TEST_F(RedisL2, NobodyWaitsForOneWhoHasGivenUp) {
  start([](const Words& words) -> std::string {
    return words[0] == "SET" ? "$-1\r\n" : "*2\r\n$-1\r\n$-1\r\n";
  });
  EXPECT_FALSE(wait_for_other("user:42"));
  EXPECT_EQ(store_->stats().waits, 1u);
  EXPECT_EQ(store_->stats().received, 0u);
}

TEST_F(RedisL2, NobodyWaitsForEver) {
  start([](const Words& words) -> std::string {
    return words[0] == "SET" ? "$-1\r\n" : "*2\r\n$-1\r\n$1\r\n1\r\n";
  });
  const auto fact = test::run(store_->wait_for_other("user:42", Deadline::after(clock_, 30ms)));
  EXPECT_FALSE(fact);
  EXPECT_LT(seen().size(), 8u) << "and asks more and more seldom";
}

TEST_F(RedisL2, WithoutAServerNobodyWaitsForOthers) {
  start_saying("+OK\r\n");
  server_.reset();
  ASSERT_TRUE(eventually([&] { return client_->stats().open == 1; }));
  EXPECT_FALSE(wait_for_other("user:42"));
  EXPECT_EQ(store_->stats().hints, 0u);
  EXPECT_EQ(store_->stats().waits, 0u);
  store_->put("user:42", user_);
  EXPECT_FALSE(test::run(store_->forget("user:42", Deadline::never())));
}

TEST_F(RedisL2, TimesAndKeysAreChecked) {
  start_saying("+OK\r\n");
  EXPECT_THROW(RedisL2Store({.deployment_key = Secret{"short"}}, *client_, clock_),
               std::invalid_argument);
  EXPECT_THROW(RedisL2Store({.deployment_key = kDeploymentKey, .ttl = 0ms}, *client_, clock_),
               std::invalid_argument);
}

}  // namespace
}  // namespace um
