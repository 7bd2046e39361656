// L2 in a read: its facts are used only with a valid lease, and only if they are admissible.
#include "cache/l2.hpp"

#include <gtest/gtest.h>

#include "cache/cached_user_store.hpp"
#include "cache/testing/cache_stage.hpp"

namespace um {
namespace {

using namespace std::chrono_literals;
using Ref = std::shared_ptr<Outcome<Result<UserReading>>>;

// Each get() waits until the test answers it.
class PausedL2 final : public L2Store {
 public:
  Task<std::optional<Fact>> get(std::string key, Deadline deadline) override {
    asked.push_back(std::move(key));
    deadlines.push_back(deadline.at);
    return gets.call();
  }
  Task<std::optional<Fact>> wait_for_other(std::string, Deadline deadline) override {
    ++waits;
    deadlines.push_back(deadline.at);
    co_return std::nullopt;
  }
  Task<bool> forget(std::string key, Deadline deadline) override {
    forgotten.push_back(std::move(key));
    deadlines.push_back(deadline.at);
    co_return true;
  }
  void put(std::string key, Fact fact) override { stored.emplace_back(std::move(key), fact); }

  PausedCalls<std::optional<Fact>> gets;
  std::vector<std::string> asked;
  std::vector<BootTime> deadlines;  // of every call
  int waits = 0;
  std::vector<std::string> forgotten;
  std::vector<std::pair<std::string, Fact>> stored;
};

class L2Test : public ::testing::Test {
 protected:
  L2Test() { poll(10); }

  void poll(Xid xmax, std::vector<Change> changes = {}) {
    cache.coherence().apply({.sent_at = clock.now(), .stamp = stamp(xmax), .changes = changes});
  }
  Ref find(ReadOptions options = {}) { return loop.start(store.find(id, options)); }
  Ref find_email() { return loop.start(store.find(email, {})); }
  void answer_l2(std::size_t n, std::optional<Fact> fact) {
    l2.gets.answer(n, std::move(fact));
    loop.settle();
  }
  void answer_primary(std::size_t n, UserRef value, Xid xmax) {
    inner.finds.answer(n, UserReading{.value = std::move(value), .stamp = stamp(xmax)});
    loop.settle();
  }
  static const UserReading& result(const Ref& found) { return found->value.value().value(); }

  const UserId id = *UserId::from(1);
  const Email email = *Email::parse("Ann@example.org");
  const UserRef ann = user(1, "ann@example.org");
  ManualClock clock;
  PausedUserStore inner;
  PausedL2 l2;
  Cache cache{{.coherence = {.capacity_bytes = 1 << 20}}, clock, &l2};
  CachedUserStore store{inner, cache};
  TestLoop loop;  // the last: its coroutines use the others
};

TEST_F(L2Test, AnAdmissibleFactIsTheAnswerAndGoesIntoMemory) {
  const auto found = find();
  answer_l2(0, Fact{ann, stamp(10)});
  EXPECT_EQ(result(found).source, Source::l2);
  EXPECT_EQ(result(found).value, ann);
  EXPECT_EQ(inner.finds.count(), 0U);
  EXPECT_EQ(result(find()).source, Source::l1);
  EXPECT_EQ(cache.stats().l2.hits[static_cast<std::size_t>(EntryKind::user)], 1U);
  EXPECT_EQ(cache.stats().misses[static_cast<std::size_t>(EntryKind::user)], 0U);
}

TEST_F(L2Test, AnAbsenceFromThereIsAnAnswerToo) {
  const auto found = find();
  answer_l2(0, Fact{Absent{}, stamp(10)});
  EXPECT_EQ(result(found).value, nullptr);
  EXPECT_EQ(result(found).source, Source::l2);
}

TEST_F(L2Test, AFactFromBeforeAChangeIsNotBelieved) {
  poll(12, {{.xid = 11, .key = "user:1"}});
  const auto found = find();
  answer_l2(0, Fact{ann, stamp(11)});
  EXPECT_FALSE(found->done());
  answer_primary(0, user(1, "ann@example.org", 2), 12);
  EXPECT_EQ(result(found).value->user.version, 2);
  EXPECT_EQ(cache.stats().l2.refused, 1U);
}

TEST_F(L2Test, AChangeThatArrivesWhileItIsAskedCounts) {
  const auto found = find();
  poll(12, {{.xid = 11, .key = "user:1"}});
  answer_l2(0, Fact{ann, stamp(11)});
  EXPECT_FALSE(found->done());
  EXPECT_EQ(inner.finds.count(), 1U);
}

TEST_F(L2Test, AFactOfAnotherNamespaceIsNotBelieved) {
  const auto found = find();
  answer_l2(0, Fact{ann, {.tau = {.high = 1, .low = 2}, .snapshot = {.xmax = 10}}});
  EXPECT_FALSE(found->done());
  EXPECT_EQ(inner.finds.count(), 1U);
}

TEST_F(L2Test, WhoMayBeAskingAlreadyIsWaitedFor) {
  find();
  answer_l2(0, std::nullopt);
  EXPECT_EQ(l2.waits, 1);
  EXPECT_EQ(inner.finds.count(), 1U);
}

TEST_F(L2Test, ARefusedFactWaitsForNobodyWhateverTheReason) {
  const std::vector<std::string> keys{"user:1"};
  poll(12, {{.xid = 11, .key = "user:1"}});
  find();
  answer_l2(0, Fact{ann, stamp(11)});  // changed
  EXPECT_EQ(inner.finds.count(), 1U);
  answer_primary(0, ann, 11);

  find();
  answer_l2(1, Fact{ann, stamp(9)});  // older than the base
  EXPECT_EQ(inner.finds.count(), 2U);
  answer_primary(1, ann, 11);

  find();
  answer_l2(2, Fact{ann, stamp(12, {}, kOtherTau)});
  EXPECT_EQ(inner.finds.count(), 3U);
  answer_primary(2, ann, 11);

  find();
  cache.coherence().hold(keys);
  answer_l2(3, Fact{ann, stamp(12)});
  EXPECT_EQ(inner.finds.count(), 4U);

  EXPECT_EQ(cache.stats().l2.refused, 4U);
  EXPECT_EQ(l2.waits, 0);
}

TEST_F(L2Test, AValueOfAnotherKindWaitsForNobody) {
  find();
  answer_l2(0, Fact{id, stamp(10)});
  EXPECT_EQ(inner.finds.count(), 1U);
  EXPECT_EQ(l2.waits, 0);
}

TEST_F(L2Test, AllItsQuestionsHaveOneBound) {
  const BootTime bound = clock.now() + 50ms;
  find_email();
  clock.advance(20ms);
  answer_l2(0, Fact{id, stamp(10)});
  clock.advance(20ms);
  answer_l2(1, std::nullopt);
  EXPECT_EQ(l2.deadlines, (std::vector<BootTime>{bound, bound, bound}));
  EXPECT_EQ(l2.waits, 1);
  EXPECT_EQ(inner.finds.count(), 1U);
}

TEST_F(L2Test, ADeadlineOfTheReadThatIsSoonerHolds) {
  const BootTime soon = clock.now() + 10ms;
  find({.deadline = {soon}});
  EXPECT_EQ(l2.deadlines, std::vector<BootTime>{soon});
}

TEST_F(L2Test, WhatARequestAsksThereHasOneBoundForAllItsReads) {
  const BootTime bound = clock.now() + 50ms;
  const Deadline request{.l2_until = bound};
  clock.advance(30ms);  // the reads before this one
  find({.deadline = request});
  EXPECT_EQ(l2.deadlines, std::vector<BootTime>{bound});
  clock.advance(20ms);
  loop.start(store.find(email, {.deadline = request}));
  EXPECT_EQ(l2.deadlines.size(), 1U) << "no time is left for it";
}

TEST_F(L2Test, AValueOfAnotherKindIsAMiss) {
  const auto found = find();
  answer_l2(0, Fact{id, stamp(10)});
  EXPECT_FALSE(found->done());
  EXPECT_EQ(cache.stats().l2.misses, 1U);
}

TEST_F(L2Test, WithoutALeaseOnlyThePrimaryIsAsked) {
  clock.advance(500ms);
  const auto found = find();
  EXPECT_EQ(l2.asked.size(), 0U);
  EXPECT_EQ(inner.finds.count(), 1U);
}

// It would be refused: time lost for every reader of a user that is being changed.
TEST_F(L2Test, AKeyThatIsHeldIsNotAskedFor) {
  const std::vector<std::string> keys{"user:1"};
  cache.coherence().hold(keys);
  const Ref found = find();
  answer_primary(0, ann, 10);
  EXPECT_TRUE(found->done());
  EXPECT_TRUE(l2.asked.empty());
}

TEST_F(L2Test, WhoInsistsOnThePrimaryIsNotGivenWhatItSays) {
  find();  // asks L2
  const auto found = find({.from_primary = true});
  answer_l2(0, Fact{ann, stamp(10)});
  EXPECT_FALSE(found->done());
  answer_primary(0, ann, 10);
  EXPECT_EQ(result(found).source, Source::primary);
}

TEST_F(L2Test, ReadersOfOneKeyShareOneQuestion) {
  const auto first = find();
  const auto second = find();
  EXPECT_EQ(l2.asked.size(), 1U);
  answer_l2(0, Fact{ann, stamp(10)});
  EXPECT_EQ(result(first).value, ann);
  EXPECT_EQ(result(second).value, ann);
}

TEST_F(L2Test, AFollowerIsTurnedAwayIfTheKeyIsHeldWhenTheAnswerArrives) {
  const auto first = find();
  const auto second = find();
  const std::vector<std::string> keys{"user:1"};
  cache.coherence().hold(keys);
  answer_l2(0, Fact{ann, stamp(10)});
  EXPECT_EQ(l2.asked.size(), 1U);
  EXPECT_EQ(inner.finds.count(), 1U);  // both requests share the failure, and ask the primary
  EXPECT_FALSE(first->done());
  EXPECT_FALSE(second->done());
}

TEST_F(L2Test, WhatThePrimarySaidIsStoredThereWithItsSnapshot) {
  find();
  answer_l2(0, std::nullopt);
  answer_primary(0, ann, 10);
  ASSERT_EQ(l2.stored.size(), 1U);
  EXPECT_EQ(l2.stored[0].first, "user:1");
  EXPECT_EQ(l2.stored[0].second.read_in.snapshot.xmax, 10U);
  EXPECT_EQ(l2.stored[0].second.read_in.tau, kTau);
}

TEST_F(L2Test, AFactWithoutANamespaceIsNotStored) {
  find();
  answer_l2(0, std::nullopt);
  inner.finds.answer(0, UserReading{.value = ann, .stamp = {.tau = {}, .snapshot = {.xmax = 10}}});
  loop.settle();
  EXPECT_TRUE(l2.stored.empty());
}

TEST_F(L2Test, AnAddressLeadsToAnIdAndThatToTheUser) {
  const auto found = find_email();
  EXPECT_EQ(l2.asked.back(), "email:ann@example.org");
  answer_l2(0, Fact{id, stamp(10)});
  EXPECT_EQ(l2.asked.back(), "user:1");
  answer_l2(1, Fact{ann, stamp(9)});  // not as new as the base
  EXPECT_FALSE(found->done());
  answer_primary(0, ann, 10);
  EXPECT_EQ(result(found).value, ann);
  EXPECT_EQ(l2.stored.size(), 2U);
}

TEST_F(L2Test, AUserWhoGaveTheAddressUpIsNotItsAnswer) {
  const auto found = find_email();
  answer_l2(0, Fact{id, stamp(10)});
  answer_l2(1, Fact{user(1, "new@example.org"), stamp(10)});
  EXPECT_FALSE(found->done());
  EXPECT_EQ(inner.finds.count(), 1U);
}

TEST_F(L2Test, WhoeverIsDroppedIsForgottenThereUnderBothKeys) {
  inner.failure.reset();
  const auto dropped = loop.start(store.invalidate(id, {}));
  EXPECT_TRUE(l2.forgotten.empty());
  answer_primary(0, ann, 10);
  ASSERT_TRUE(dropped->done());
  EXPECT_TRUE(dropped->value.value());
  EXPECT_EQ(l2.forgotten, (std::vector<std::string>{"user:1", "email:ann@example.org"}));
  EXPECT_EQ(l2.deadlines, std::vector<BootTime>(2, clock.now() + 50ms));
}

TEST_F(L2Test, AUserWhoIsNotThereIsForgottenByTheId) {
  inner.failure.reset();
  const auto dropped = loop.start(store.invalidate(id, {}));
  answer_primary(0, nullptr, 10);
  EXPECT_TRUE(dropped->value.value());
  EXPECT_EQ(l2.forgotten, std::vector<std::string>{"user:1"});
}

TEST_F(L2Test, NothingIsForgottenIfTheDatabaseDidNotTakeTheNote) {
  const auto dropped = loop.start(store.invalidate(id, {}));
  answer_primary(0, ann, 10);
  EXPECT_FALSE(dropped->value.value());
  EXPECT_TRUE(l2.forgotten.empty());
}

}  // namespace
}  // namespace um
