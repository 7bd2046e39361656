#include "async/work_pool.hpp"

#include <future>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <gtest/gtest.h>

#include "support/run_task.hpp"

namespace um {
namespace {

using namespace std::chrono_literals;

// Keeps the only thread of a pool busy until opened.
class Gate {
 public:
  std::function<void()> work() {
    return [this] {
      begun_.set_value();
      opened_.get_future().wait();
    };
  }
  void wait_until_begun() { begun_.get_future().wait(); }
  void open() { opened_.set_value(); }

 private:
  std::promise<void> begun_;
  std::promise<void> opened_;
};

class WorkPoolTest : public ::testing::Test {
 protected:
  using Outcome = std::optional<Result<void>>;

  void start(std::function<void()> work, Deadline deadline, Outcome& outcome) {
    boost::asio::co_spawn(loop_, pool_->run(std::move(work), deadline),
                          [&outcome](std::exception_ptr, Result<void> r) { outcome = r; });
    loop_.poll();
  }
  void block() {
    start(gate_.work(), Deadline::never(), blocker_);
    gate_.wait_until_begun();
  }

  ManualClock clock_;
  boost::asio::io_context loop_;
  Gate gate_;
  Outcome blocker_;
  std::unique_ptr<WorkPool> pool_ =
      std::make_unique<WorkPool>(WorkPool::Options{.threads = 1, .queue = 2}, clock_);
};

TEST_F(WorkPoolTest, WorkRunsOnAnotherThreadAndTheCallerGoesOnOnItsOwn) {
  std::thread::id worker;
  std::thread::id resumed;
  const auto task = [&]() -> Task<Result<void>> {
    const auto result =
        co_await pool_->run([&] { worker = std::this_thread::get_id(); }, Deadline::never());
    resumed = std::this_thread::get_id();
    co_return result;
  };
  EXPECT_TRUE(test::run(task()));
  EXPECT_NE(worker, std::thread::id{});
  EXPECT_NE(worker, resumed);
  EXPECT_EQ(resumed, std::this_thread::get_id());
}

TEST_F(WorkPoolTest, AFullQueueIsRefusedWithATimeToRetry) {
  block();
  Outcome first;
  Outcome second;
  Outcome third;
  start([] {}, Deadline::never(), first);
  start([] {}, Deadline::never(), second);
  EXPECT_EQ(pool_->stats().queued, 2u);
  start([] {}, Deadline::never(), third);
  ASSERT_TRUE(third);
  EXPECT_EQ(third->error().code, ErrorCode::overloaded);
  EXPECT_GE(*third->error().retry_after, 1s);
  EXPECT_EQ(pool_->stats().refused, 1u);
  gate_.open();
  loop_.run();
  EXPECT_TRUE(first && *first && second && *second);
}

TEST_F(WorkPoolTest, WhoseDeadlinePassesLeavesTheQueueWhileTheThreadsAreBusy) {
  block();
  bool ran = false;
  Outcome late;
  // Whether it is still in the queue when start() returns is a matter of luck; the
  // counter `cancelled` shows that it was.
  start([&] { ran = true; }, Deadline::after(clock_, 1ms), late);
  while (!late) loop_.run_one();
  EXPECT_EQ(late->error().code, ErrorCode::timeout);
  EXPECT_EQ(pool_->stats().queued, 0u);
  EXPECT_EQ(pool_->stats().cancelled, 1u);
  gate_.open();
  loop_.run();
  pool_.reset();
  EXPECT_FALSE(ran);
}

TEST_F(WorkPoolTest, ADeadlineThatHasPassedIsNoWork) {
  bool ran = false;
  const Deadline past{clock_.now()};
  const auto result = test::run(pool_->run([&] { ran = true; }, past));
  EXPECT_EQ(result.error().code, ErrorCode::timeout);
  EXPECT_FALSE(ran);
}

TEST_F(WorkPoolTest, WorkWhoseDeadlinePassedInTheQueueIsNotBegun) {
  block();
  bool ran = false;
  Outcome late;
  start([&] { ran = true; }, Deadline::after(clock_, 1h), late);
  clock_.advance(1h);
  gate_.open();
  loop_.run();
  ASSERT_TRUE(late);
  EXPECT_EQ(late->error().code, ErrorCode::timeout);
  EXPECT_FALSE(ran);
}

TEST_F(WorkPoolTest, ACallerCancelledInWhateverWayLeavesTheQueue) {
  using boost::asio::cancellation_type;
  block();
  bool ran = false;
  for (const auto type : {cancellation_type::terminal, cancellation_type::total}) {
    boost::asio::cancellation_signal cancel;
    Outcome outcome;
    boost::asio::co_spawn(
        loop_, pool_->run([&] { ran = true; }, Deadline::never()),
        boost::asio::bind_cancellation_slot(
            cancel.slot(), [&](std::exception_ptr, Result<void> r) { outcome = r; }));
    loop_.poll();
    EXPECT_EQ(pool_->stats().queued, 1u);
    cancel.emit(type);
    loop_.poll();
    ASSERT_TRUE(outcome);
    EXPECT_EQ(outcome->error().code, ErrorCode::cancelled);
    EXPECT_EQ(pool_->stats().queued, 0u);
  }
  gate_.open();
  loop_.run();
  pool_.reset();
  EXPECT_FALSE(ran);
}

TEST_F(WorkPoolTest, WorkThatHasBegunIsWaitedForAlsoByACancelledCaller) {
  boost::asio::cancellation_signal cancel;
  Outcome outcome;
  boost::asio::co_spawn(
      loop_, pool_->run(gate_.work(), Deadline::never()),
      boost::asio::bind_cancellation_slot(
          cancel.slot(), [&](std::exception_ptr, Result<void> r) { outcome = r; }));
  loop_.poll();
  gate_.wait_until_begun();
  cancel.emit(boost::asio::cancellation_type::total);
  loop_.poll();
  cancel.emit(boost::asio::cancellation_type::total);
  loop_.poll();
  EXPECT_FALSE(outcome);
  gate_.open();
  loop_.run();
  EXPECT_TRUE(outcome && *outcome);
}

TEST_F(WorkPoolTest, AfterTheWaitNothingElseIsInterruptedByAClientThatGoes) {
  block();
  boost::asio::cancellation_signal cancel;
  bool left = false;
  bool finished = false;
  const auto task = [&]() -> Task<void> {
    const Result<void> done = co_await pool_->run([] {}, Deadline::never());
    left = !done;
    boost::asio::steady_timer write{co_await boost::asio::this_coro::executor};
    write.expires_after(1ms);
    co_await write.async_wait(boost::asio::use_awaitable);
    finished = true;
  };
  boost::asio::co_spawn(
      loop_, task(), boost::asio::bind_cancellation_slot(cancel.slot(), [](std::exception_ptr) {}));
  loop_.poll();
  cancel.emit(boost::asio::cancellation_type::total);
  while (!left) loop_.run_one();
  cancel.emit(boost::asio::cancellation_type::total);
  gate_.open();
  loop_.run();
  EXPECT_TRUE(finished);
}

TEST_F(WorkPoolTest, ACallerMayVanishWithItsEventLoop) {
  block();
  bool ran = false;
  {
    boost::asio::io_context other;
    boost::asio::co_spawn(other, pool_->run([&] { ran = true; }, Deadline::never()),
                          [](std::exception_ptr, Result<void>) {});
    other.poll();
    EXPECT_EQ(pool_->stats().queued, 1u);
  }
  EXPECT_EQ(pool_->stats().queued, 0u);
  gate_.open();
  loop_.run();
  pool_.reset();
  EXPECT_FALSE(ran);
}

TEST_F(WorkPoolTest, ClosingAnswersThoseWhoWait) {
  block();
  Outcome waiting;
  bool ran = false;
  start([&] { ran = true; }, Deadline::never(), waiting);
  std::thread closer{[this] { pool_.reset(); }};
  while (!waiting) loop_.run_one();
  EXPECT_EQ(waiting->error().code, ErrorCode::unavailable);
  gate_.open();
  closer.join();
  loop_.run();
  EXPECT_TRUE(blocker_ && *blocker_);
  EXPECT_FALSE(ran);
}

}  // namespace
}  // namespace um
