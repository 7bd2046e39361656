#include "async/task_group.hpp"

#include <atomic>
#include <optional>
#include <thread>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <gtest/gtest.h>

#include "async/handoff.hpp"

namespace um {
namespace {

using namespace std::chrono_literals;

TEST(TaskGroup, JoinWaitsForTheTasksUnderWay) {
  boost::asio::io_context loop;
  auto busy = boost::asio::make_work_guard(loop);
  std::jthread thread{[&] { loop.run(); }};
  TaskGroup group;
  std::atomic<int> ended{0};
  const auto task = [&]() -> Task<void> {
    for (int i = 0; i < 100; ++i) co_await boost::asio::post(boost::asio::use_awaitable);
    ++ended;
  };
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(group.spawn(loop.get_executor(), task()));
  group.close();
  EXPECT_TRUE(group.join_blocking(loop, 10s));
  EXPECT_EQ(ended, 10);
  EXPECT_FALSE(group.spawn(loop.get_executor(), task())) << "it is closed";
  busy.reset();
}

TEST(TaskGroup, ATaskThatGoesWithItsLoopHasEnded) {
  TaskGroup group;
  std::optional<boost::asio::io_context> loop{std::in_place};
  const auto task = []() -> Task<void> { co_return; };
  EXPECT_TRUE(group.spawn(loop->get_executor(), task()));
  loop.reset();
  const boost::asio::io_context other;
  EXPECT_TRUE(group.join_blocking(other, 0s));
}

TEST(TaskGroup, AThreadWaitsForTasksOnALoopUntilTheLoopIsStopped) {
  const SystemClock clock;
  Handoff open;
  TaskGroup group;
  boost::asio::io_context loop{1};
  const auto work = [&]() -> Task<void> { co_await open.wait(Deadline::never(), clock); };
  group.spawn(loop.get_executor(), work());
  {
    std::jthread thread{[&] { loop.run(); }};
    open.wake();
    EXPECT_TRUE(group.join_blocking(loop, 1h));
  }
  loop.restart();
  group.spawn(loop.get_executor(), work());
  loop.poll();
  loop.stop();
  EXPECT_FALSE(group.join_blocking(loop, 1h));
}

TEST(TaskGroup, MayGoBeforeItsTasks) {
  boost::asio::io_context loop;
  bool ended = false;
  const auto task = [&]() -> Task<void> {
    ended = true;
    co_return;
  };
  {
    TaskGroup group;
    EXPECT_TRUE(group.spawn(loop.get_executor(), task()));
  }
  loop.run();
  EXPECT_TRUE(ended);
}

}  // namespace
}  // namespace um
