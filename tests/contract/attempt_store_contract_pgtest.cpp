// The contract of AttemptStore: the limits on guessing of all instances together, compared with the
// limits of one instance.
#include <random>

#include "auth/attempts/local_attempt_limiter.hpp"
#include "contract/attempt_store_under_test.hpp"
#include "support/patience.hpp"

namespace um::test {
namespace {

using namespace std::chrono_literals;
using e2e::eventually;

TEST_P(AttemptStoreContract, FailuresOfAllInstancesCountTogether) {
  for (int i = 0; i < 5; ++i) {
    one_.fail(alice());
    other_.fail(alice());
  }
  for (AttemptInstance* instance : {&one_, &other_}) {
    const auto answer = instance->take({.account = "alice", .address = "198.51.100.7"});
    ASSERT_TRUE(is<Refused>(answer));
    EXPECT_GT(std::get<Refused>(*answer).wait, 14min);
    EXPECT_LE(std::get<Refused>(*answer).wait, 16min);
    EXPECT_TRUE(is<Taken>(instance->take({.account = "bob", .address = "192.0.2.1"})));
  }
}

TEST_P(AttemptStoreContract, TheWaitIsAsLongAsItSays) {
  for (int i = 0; i < 10; ++i) one_.fail(alice());
  const auto answer = other_.take(alice());
  ASSERT_TRUE(is<Refused>(answer));
  const auto wait = std::get<Refused>(*answer).wait;
  now_ += wait - 1ms;
  EXPECT_TRUE(is<Refused>(other_.take(alice())));
  now_ += 1ms;
  EXPECT_TRUE(is<Taken>(other_.take(alice())));
}

TEST_P(AttemptStoreContract, AnAddressHasALimitWithWhateverAccounts) {
  for (int i = 0; i < 100; ++i)
    one_.fail({.account = "user-" + std::to_string(i), .address = "192.0.2.9"});
  EXPECT_TRUE(is<Refused>(other_.take({.account = "another", .address = "192.0.2.9"})));
  EXPECT_TRUE(is<Taken>(other_.take({.account = "another", .address = "192.0.2.10"})));
}

TEST_P(AttemptStoreContract, PlacesThatInstancesTakeInTurnCountTogether) {
  std::vector<Taken> places;
  for (int i = 0; i < 10; ++i) {
    const auto answer = (i % 2 == 0 ? one_ : other_).take(alice());
    ASSERT_TRUE(is<Taken>(answer));
    places.push_back(std::get<Taken>(*answer));
  }
  EXPECT_TRUE(is<Busy>(one_.take(alice())));
  one_.end(alice(), places.back(), Outcome::succeeded);
  ASSERT_TRUE(is<Taken>(other_.take(alice()))) << "a success gives its place back";
  EXPECT_TRUE(is<Busy>(one_.take(alice())));
}

TEST_P(AttemptStoreContract, ManyAtOnceOnAllInstancesDoNotGetPastTheLimit) {
  std::vector<Task<Answer>> takes;
  for (int i = 0; i < 40; ++i)
    takes.push_back(taking((i % 2 == 0 ? one_ : other_).store(), alice()));
  std::vector<Taken> places;
  for (const auto& answer : run_all(std::move(takes))) {
    if (is<Taken>(answer))
      places.push_back(std::get<Taken>(*answer));
    else
      EXPECT_TRUE(is<Busy>(answer));
  }
  ASSERT_EQ(places.size(), 10U);
  one_.end(alice(), places.back(), Outcome::succeeded);
  EXPECT_TRUE(is<Taken>(other_.take(alice()))) << "a success gives its place back";
  EXPECT_TRUE(is<Busy>(one_.take(alice())));
}

TEST_P(AttemptStoreContract, ThePlacesOfAnInstanceThatDiedComeBack) {
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(is<Taken>(one_.take(alice())));
  now_ += 59s;
  EXPECT_TRUE(is<Busy>(other_.take(alice())));
  now_ += 31s;
  EXPECT_TRUE(is<Taken>(other_.take(alice())));
}

TEST_P(AttemptStoreContract, APlaceThatEndsLateTakesNobodyElsesAway) {
  const auto late = one_.take(alice());
  ASSERT_TRUE(is<Taken>(late));
  now_ += 5min;
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(is<Taken>(one_.take(alice())));
  other_.end(alice(), std::get<Taken>(*late), Outcome::failed);
  EXPECT_TRUE(is<Busy>(other_.take(alice()))) << "ten under way";
}

TEST_P(AttemptStoreContract, AClockThatWasSetBackLocksNobodyOut) {
  for (int i = 0; i < 10; ++i) one_.fail(alice());
  EXPECT_TRUE(is<Refused>(one_.take(alice())));
  now_ -= 24h * 365;
  under_test().tidy_up();
  EXPECT_TRUE(is<Taken>(one_.take(alice())));
}

TEST_P(AttemptStoreContract, TheServersOwnTimeWillDo) {
  const auto answer = take(one_.store_by_the_servers_time(), alice());
  ASSERT_TRUE(is<Taken>(answer));
  const auto seconds =
      std::chrono::duration_cast<std::chrono::seconds>(SystemClock{}.wall_now().time_since_epoch());
  EXPECT_NEAR(static_cast<double>(std::get<Taken>(*answer).place),
              static_cast<double>(seconds / 30s), 1.0);
}

TEST_P(AttemptStoreContract, WithoutTheServerTheAnswerIsNone) {
  EXPECT_TRUE(one_.take(alice()));
  under_test().lose_the_server();
  EXPECT_FALSE(one_.take(alice()));
  under_test().find_the_server();
  EXPECT_TRUE(eventually([&] { return one_.take(alice()).has_value(); }));
}

// The same story told to both: whatever LocalAttemptLimiter says, the shared one says.
TEST_P(AttemptStoreContract, ThePolicyIsThatOfOneInstance) {
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
    const Subject subject{.account = account, .address = "192.0.2." + std::to_string(pick(2))};
    auto here = run(local.take(subject, Deadline::never()));
    const auto there = (i % 2 == 0 ? one_ : other_).take(subject);
    ASSERT_EQ(here.has_value(), is<Taken>(there)) << i;
    if (here) {
      ++taken;
      const bool failed = pick(3) != 0;
      failed ? (*here)->failed() : (*here)->succeeded();
      one_.end(subject, std::get<Taken>(*there), failed ? Outcome::failed : Outcome::succeeded);
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

TEST_P(AttemptStoreContract, TheLimiterOfAnInstanceUsesIt) {
  const SystemClock clock;
  LocalAttemptLimiter local_one{{.limits = {}}, clock};
  LocalAttemptLimiter local_other{{.limits = {}}, clock};
  boost::asio::io_context loop;
  const StoredAttemptOptions options{
      .deployment_key = deployment_key(), .longest_wait = 20s, .longest_call = 20s};
  StoredAttemptLimiter one{
      options, {.local = local_one, .store = one_.store(), .clock = clock, .loop = loop}};
  StoredAttemptLimiter other{
      options, {.local = local_other, .store = other_.store(), .clock = clock, .loop = loop}};
  for (int i = 0; i < 10; ++i) {
    auto place = run(one.take(alice(), Deadline::never()));
    ASSERT_TRUE(place);
    (*place)->failed();
    loop.restart();
    loop.run();
  }
  const auto refused = run(other.take(alice(), Deadline::never()));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::too_many_attempts);
  EXPECT_EQ(other.stats().refused, 1U);
  under_test().lose_the_server();
  EXPECT_TRUE(eventually([&] { return run(other.take(alice(), Deadline::never())).has_value(); }))
      << "without the others it knows nothing of those failures";
  EXPECT_FALSE(run(one.take(alice(), Deadline::never()))) << "but this one does";
}

}  // namespace
}  // namespace um::test
