#include "async/batch_queue.hpp"

#include <gtest/gtest.h>

namespace um {
namespace {

struct QueuedItem {
  int user;
  int group() const { return user; }
};
using Queue = BatchQueue<QueuedItem>;
using Batch = Queue::Batch;

Queue::Ticket item(int user) {
  return std::make_shared<QueuedItem>(QueuedItem{user});
}

TEST(BatchQueue, OneAloneStartsAtOnce) {
  Queue queue{{}};
  const auto one = item(1);
  ASSERT_TRUE(queue.push(one));
  EXPECT_EQ(queue.next(), one);
  EXPECT_EQ(queue.take(), Batch{one});
  EXPECT_TRUE(queue.take().empty());
}

TEST(BatchQueue, WhatWaitsGoesTogetherInOrder) {
  Queue queue{{.running = 1}};
  queue.push(item(1));
  const Batch first = queue.take();
  const Batch rest{item(2), item(3), item(2)};
  for (const auto& ticket : rest) queue.push(ticket);
  EXPECT_TRUE(queue.take().empty());  // one batch only
  EXPECT_EQ(queue.next(), nullptr);
  queue.finish(first);
  EXPECT_EQ(queue.next(), rest[0]);
  EXPECT_EQ(queue.take(), rest);
}

TEST(BatchQueue, AGroupIsInOneBatchAtATime) {
  Queue queue{{.running = 3}};
  queue.push(item(1));
  queue.push(item(1));
  const Batch first = queue.take();
  EXPECT_EQ(first.size(), 2U);
  const auto again = item(1);
  const auto other = item(2);
  queue.push(again);
  queue.push(other);
  EXPECT_EQ(queue.take(), Batch{other});
  EXPECT_EQ(queue.next(), nullptr);
  queue.finish(first);
  EXPECT_EQ(queue.take(), Batch{again});
}

TEST(BatchQueue, ABatchTakesNoMoreThanItsLimit) {
  Queue queue{{.batch = 2, .running = 2}};
  for (int i = 1; i <= 5; ++i) queue.push(item(i));
  EXPECT_EQ(queue.take().size(), 2U);
  EXPECT_EQ(queue.take().size(), 2U);
  EXPECT_TRUE(queue.take().empty());
  EXPECT_EQ(queue.waiting(), 1U);
}

TEST(BatchQueue, AFullQueueRefuses) {
  Queue queue{{.waiting = 1, .running = 1}};
  EXPECT_TRUE(queue.push(item(1)));
  EXPECT_FALSE(queue.push(item(2)));
}

TEST(BatchQueue, WhoLeavesIsNotTaken) {
  Queue queue{{}};
  const auto gone = item(1);
  queue.push(gone);
  EXPECT_TRUE(queue.withdraw(gone));
  EXPECT_FALSE(queue.withdraw(gone));
  EXPECT_TRUE(queue.take().empty());
  const auto taken = item(2);
  queue.push(taken);
  EXPECT_EQ(queue.take(), Batch{taken});
  EXPECT_FALSE(queue.withdraw(taken));
}

}  // namespace
}  // namespace um
