#include "async/gate.hpp"

#include <gtest/gtest.h>

#include "async/testing/test_loop.hpp"

namespace um {
namespace {

using namespace std::chrono_literals;
using Entry = std::shared_ptr<Outcome<std::unique_ptr<Result<ReadGate::Permit>>>>;

class ReadGateTest : public ::testing::Test {
 protected:
  Task<std::unique_ptr<Result<ReadGate::Permit>>> enter_task(Deadline deadline) {
    Result<ReadGate::Permit> permit = co_await gate.enter(deadline);
    co_return std::make_unique<Result<ReadGate::Permit>>(std::move(permit));
  }
  Entry enter(TestLoop& on, Deadline deadline = {}) { return on.start(enter_task(deadline)); }
  static bool inside(const Entry& entry) { return entry->value && (*entry->value)->has_value(); }
  static ErrorCode error(const Entry& entry) { return (*entry->value)->error().code; }
  void leave(const Entry& entry) {
    entry->value.reset();
    loop.settle();
    other_loop.settle();
  }

  ManualClock clock;
  ReadGate gate{{.running = 2, .queued = 2}, clock};
  TestLoop loop;
  TestLoop other_loop;
};

TEST_F(ReadGateTest, LetsInAsManyAsItMay) {
  const auto a = enter(loop), b = enter(loop), c = enter(loop);
  EXPECT_TRUE(inside(a) && inside(b));
  EXPECT_FALSE(c->done());
  EXPECT_EQ(gate.stats().running, 2U);
  EXPECT_EQ(gate.stats().queued, 1U);
}

TEST_F(ReadGateTest, WhoWaitsGetsItsTurnInOrderOnWhicheverLoop) {
  auto a = enter(loop), b = enter(loop), c = enter(other_loop), d = enter(loop);
  leave(a);
  EXPECT_TRUE(inside(c));
  EXPECT_FALSE(d->done());
  leave(b);
  EXPECT_TRUE(inside(d));
  EXPECT_EQ(gate.stats().reads, 4U);
}

TEST_F(ReadGateTest, RefusesAtOnceWhenTheQueueIsFull) {
  const auto a = enter(loop), b = enter(loop), c = enter(loop), d = enter(loop);
  const auto e = enter(loop);
  ASSERT_TRUE(e->done());
  EXPECT_EQ(error(e), ErrorCode::overloaded);
  EXPECT_TRUE((*e->value)->error().retry_after);
  EXPECT_EQ(gate.stats().refused, 1U);
}

TEST_F(ReadGateTest, WhoWaitsTooLongLeavesTheQueue) {
  auto a = enter(loop), b = enter(loop);
  const auto c = enter(loop, Deadline::after(clock, 1ms));
  clock.advance(1ms);
  loop.until_done(*c);
  EXPECT_EQ(error(c), ErrorCode::timeout);
  EXPECT_EQ(gate.stats().queued, 0U);
  leave(a);
  EXPECT_EQ(gate.stats().running, 1U);
}

TEST_F(ReadGateTest, ATurnGivenToACoroutineThatIsGoneIsPassedOn) {
  auto a = enter(loop), b = enter(loop);
  {
    TestLoop dying;
    auto c = enter(dying);
    a->value.reset();  // c has the turn but never runs again
    EXPECT_EQ(gate.stats().running, 2U);
  }
  EXPECT_EQ(gate.stats().running, 1U);
}

}  // namespace
}  // namespace um
