#include "async/handoff.hpp"

#include <optional>
#include <thread>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <gtest/gtest.h>

#include "support/run_task.hpp"

namespace um {
namespace {

using namespace std::chrono_literals;
using boost::asio::cancellation_type;
using End = Handoff::End;

class HandoffTest : public ::testing::Test {
 protected:
  // Starts the task and lets it run until it waits.
  template <class T>
  void start(Task<T> task, std::optional<T>& value) {
    boost::asio::co_spawn(loop_, std::move(task),
                          boost::asio::bind_cancellation_slot(
                              cancel_.slot(), [&](const std::exception_ptr& thrown, T got) {
                                thrown_ = thrown != nullptr;
                                if (!thrown) value = std::move(got);
                              }));
    settle();
  }
  void settle() {
    loop_.restart();
    while (loop_.poll() > 0) {
    }
  }
  Task<bool> answer() {
    co_await handoff_.wait_for_answer([this] { ++asked_to_stop_; });
    answered_ = true;
    boost::asio::steady_timer next{co_await boost::asio::this_coro::executor, 0s};
    co_await next.async_wait(boost::asio::use_awaitable);
    co_return true;
  }

  ManualClock clock_;
  boost::asio::io_context loop_{1};
  boost::asio::cancellation_signal cancel_;
  Handoff handoff_;
  bool thrown_ = false;
  bool answered_ = false;
  int asked_to_stop_ = 0;
};

TEST_F(HandoffTest, AWakeUpBeforeTheWaitEndsItAtOnceAndIsUsedUp) {
  handoff_.wake();
  handoff_.wake();
  std::optional<End> first;
  start(handoff_.wait(Deadline::never(), clock_), first);
  EXPECT_EQ(first, End::woken);
  std::optional<End> second;
  start(handoff_.wait(Deadline::never(), clock_), second);
  EXPECT_FALSE(second);
  handoff_.wake();
  settle();
  EXPECT_EQ(second, End::woken);
}

TEST_F(HandoffTest, ADeadlineEndsTheWait) {
  std::optional<End> end;
  start(handoff_.wait(Deadline::after(clock_, 1ms), clock_), end);
  loop_.restart();
  loop_.run();
  EXPECT_EQ(end, End::deadline_passed);
}

TEST_F(HandoffTest, SeveralWakeUpsDuringAWaitEndOnlyThatWait) {
  std::optional<End> first;
  start(handoff_.wait(Deadline::never(), clock_), first);
  handoff_.wake();
  handoff_.wake();
  settle();
  std::optional<End> second;
  start(handoff_.wait(Deadline::never(), clock_), second);
  EXPECT_EQ(first, End::woken);
  EXPECT_FALSE(second);
  handoff_.wake();
  settle();
  EXPECT_EQ(second, End::woken);
}

TEST_F(HandoffTest, OnlyAWaitWhileWantedHearsThatTheClientIsGone) {
  std::optional<End> end;
  start(handoff_.wait(Deadline::never(), clock_), end);
  cancel_.emit(cancellation_type::total);
  settle();
  EXPECT_FALSE(end);
  handoff_.wake();
  settle();
  EXPECT_EQ(end, End::woken);
  std::optional<End> wanted;
  start(handoff_.wait_while_wanted(Deadline::never(), clock_), wanted);
  cancel_.emit(cancellation_type::total);
  settle();
  EXPECT_EQ(wanted, End::cancelled);
}

TEST_F(HandoffTest, ACancelledWaitForAnAnswerAsksOnceAndStillWaits) {
  std::optional<bool> done;
  start(answer(), done);
  cancel_.emit(cancellation_type::terminal);
  settle();
  cancel_.emit(cancellation_type::terminal);
  settle();
  EXPECT_EQ(asked_to_stop_, 1);
  EXPECT_FALSE(answered_);
  handoff_.wake();
  settle();
  EXPECT_TRUE(answered_);
  EXPECT_TRUE(thrown_) << "the cancellation is not forgotten";
}

TEST_F(HandoffTest, AWakeUpForACoroutineThatWentWithItsLoopDoesNothing) {
  {
    boost::asio::io_context other{1};
    boost::asio::co_spawn(other, handoff_.wait(Deadline::never(), clock_),
                          [](const std::exception_ptr&, End) {});
    other.poll();
  }
  handoff_.wake();
}

TEST_F(HandoffTest, WakeUpsFromAnotherThreadAreNeverLost) {
  constexpr int kRounds = 2000;
  Handoff ping;
  Handoff pong;
  std::thread other{[&] {
    const auto echo = [&]() -> Task<bool> {
      for (int i = 0; i < kRounds; ++i) {
        co_await ping.wait(Deadline::never(), clock_);
        pong.wake();
      }
      co_return true;
    };
    test::run(echo());
  }};
  const auto call = [&]() -> Task<bool> {
    for (int i = 0; i < kRounds; ++i) {
      ping.wake();
      co_await pong.wait(Deadline::never(), clock_);
    }
    co_return true;
  };
  EXPECT_TRUE(test::run(call()));
  other.join();
}

}  // namespace
}  // namespace um
