// For tests of coroutines: an event loop that runs only when the test says so, and pause points,
// which hold back the answer of a call until the test releases it.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <stdexcept>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "async/handoff.hpp"
#include "async/task.hpp"

namespace um {

// The value of a coroutine that was started, or that it threw.
template <class T>
struct Outcome {
  std::optional<T> value{};
  bool threw = false;
  bool done() const { return value || threw; }
};

class TestLoop {
 public:
  template <class T>
  std::shared_ptr<Outcome<T>> start(Task<T> task) {
    auto outcome = std::make_shared<Outcome<T>>();
    boost::asio::co_spawn(context, std::move(task), [outcome](std::exception_ptr error, T value) {
      outcome->threw = error != nullptr;
      if (error == nullptr) outcome->value = std::move(value);
    });
    settle();
    return outcome;
  }
  // Runs everything that can run without waiting for time.
  void settle() {
    context.restart();
    while (context.poll() > 0) {
    }
  }
  // Lets real time pass until a coroutine that waits for a timer is done.
  template <class T>
  void until_done(const Outcome<T>& outcome) {
    context.restart();
    while (!outcome.done() && context.run_one_for(std::chrono::seconds{5}) > 0) {
    }
  }

  boost::asio::io_context context{1};
};

// A call that waits until the test answers it.
template <class T>
class PendingCall {
 public:
  void answer(T value) {
    answer_ = std::move(value);
    answered_.wake();
  }
  Task<T> wait(const Clock& clock) {
    while (!answer_) co_await answered_.wait(Deadline::never(), clock);
    co_return *answer_;
  }

 private:
  Handoff answered_;
  std::optional<T> answer_;
};

template <class T>
class PausedCalls {
 public:
  Task<T> call() {
    auto pending = std::make_shared<PendingCall<T>>();
    calls_.push_back(pending);
    T value = co_await pending->wait(clock_);
    co_return value;
  }
  std::size_t count() const { return calls_.size(); }
  // REQUIRES: call number `n` (from 0) was made and its coroutine still waits.
  void answer(std::size_t n, T value) {
    const auto call = calls_.at(n).lock();
    if (!call) throw std::logic_error("nobody waits for this answer");
    call->answer(std::move(value));
  }

 private:
  ManualClock clock_;
  std::deque<std::weak_ptr<PendingCall<T>>> calls_;  // owned by the coroutines that wait
};

}  // namespace um
