#include "storage/postgres/usage_queue.hpp"

#include <gtest/gtest.h>

namespace um {
namespace {

using Batch = std::vector<UsageQueue::Ticket>;

UsageQueue::Ticket usage(std::int64_t user) {
  return std::make_shared<UsageQueue::Entry>(UsageRecord{.user = *UserId::from(user), .amount = {}},
                                             Deadline::never());
}

TEST(UsageQueue, OneAloneFliesAtOnce) {
  UsageQueue queue{{}};
  const auto one = usage(1);
  ASSERT_TRUE(queue.push(one));
  EXPECT_EQ(queue.next(), one);
  EXPECT_EQ(queue.take(), Batch{one});
  EXPECT_TRUE(queue.take().empty());
}

TEST(UsageQueue, WhatWaitsFliesTogetherInOrder) {
  UsageQueue queue{{.running = 1}};
  queue.push(usage(1));
  const Batch first = queue.take();
  const Batch rest{usage(2), usage(3), usage(2)};
  for (const auto& ticket : rest) queue.push(ticket);
  EXPECT_TRUE(queue.take().empty());  // one batch only
  EXPECT_EQ(queue.next(), nullptr);
  queue.finish(first);
  EXPECT_EQ(queue.next(), rest[0]);
  EXPECT_EQ(queue.take(), rest);
}

TEST(UsageQueue, AUserIsInOneFlightAtATime) {
  UsageQueue queue{{.running = 3}};
  queue.push(usage(1));
  queue.push(usage(1));
  const Batch first = queue.take();
  EXPECT_EQ(first.size(), 2U);
  const auto again = usage(1);
  const auto other = usage(2);
  queue.push(again);
  queue.push(other);
  EXPECT_EQ(queue.take(), Batch{other});
  EXPECT_EQ(queue.next(), nullptr);
  queue.finish(first);
  EXPECT_EQ(queue.take(), Batch{again});
}

TEST(UsageQueue, AFlightTakesNoMoreThanItsLimit) {
  UsageQueue queue{{.batch = 2, .running = 2}};
  for (int i = 1; i <= 5; ++i) queue.push(usage(i));
  EXPECT_EQ(queue.take().size(), 2U);
  EXPECT_EQ(queue.take().size(), 2U);
  EXPECT_TRUE(queue.take().empty());
  EXPECT_EQ(queue.waiting(), 1U);
}

TEST(UsageQueue, AFullQueueRefuses) {
  UsageQueue queue{{.waiting = 1, .running = 1}};
  EXPECT_TRUE(queue.push(usage(1)));
  EXPECT_FALSE(queue.push(usage(2)));
}

TEST(UsageQueue, WhoLeavesIsNotTaken) {
  UsageQueue queue{{}};
  const auto gone = usage(1);
  queue.push(gone);
  EXPECT_TRUE(queue.withdraw(gone));
  EXPECT_FALSE(queue.withdraw(gone));
  EXPECT_TRUE(queue.take().empty());
  const auto taken = usage(2);
  queue.push(taken);
  EXPECT_EQ(queue.take(), Batch{taken});
  EXPECT_FALSE(queue.withdraw(taken));
}

}  // namespace
}  // namespace um
