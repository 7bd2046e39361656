// TaskGroup: the owner of coroutines that no other coroutine awaits. It counts the ones that have
// not ended, and can wait for all of them.
//
// A task has its own deadline; the group cancels nothing. The owner of the group joins it before it
// destroys anything that its tasks use. Tasks that are destroyed with their event loop, without
// having ended, count as ended.
//
// Thread safety: any thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <exception>
#include <memory>
#include <mutex>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "async/task.hpp"

namespace um {

class TaskGroup {
 public:
  TaskGroup() = default;
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;

  // Starts the task on the executor; an exception ends this task only. False after close(): the
  // task was not started.
  bool spawn(const boost::asio::any_io_executor& executor, Task<void> task) {
    {
      const std::lock_guard lock{state_->mutex};
      if (state_->closed) return false;
      ++state_->running;
    }
    Member member{state_};
    boost::asio::co_spawn(executor, std::move(task),
                          [member = std::move(member)](const std::exception_ptr&) {});
    return true;
  }

  // From now on no task is started.
  void close() {
    const std::lock_guard lock{state_->mutex};
    state_->closed = true;
  }

  // For a thread that runs none of the loops: blocks until no task is running. False: `loop`, which
  // runs the tasks, was stopped, or `patience` has passed.
  bool join_blocking(const boost::asio::io_context& loop, std::chrono::nanoseconds patience) {
    constexpr std::chrono::milliseconds kStep{10};  // stopping a loop notifies nothing
    const auto until = std::chrono::steady_clock::now() + patience;
    std::unique_lock lock{state_->mutex};
    while (state_->running > 0) {
      if (loop.stopped() || std::chrono::steady_clock::now() >= until) return false;
      state_->changed.wait_for(lock, kStep);
    }
    return true;
  }

 private:
  struct State {
    std::mutex mutex;
    std::condition_variable changed;
    std::size_t running = 0;
    bool closed = false;
  };
  // Lives in the completion handler: it goes when the task ends or its loop is destroyed.
  class Member {
   public:
    explicit Member(std::shared_ptr<State> state) : state_{std::move(state)} {}
    Member(Member&&) = default;
    Member& operator=(Member&&) = delete;
    ~Member() {
      if (!state_) return;
      const std::lock_guard lock{state_->mutex};
      --state_->running;
      state_->changed.notify_all();
    }

   private:
    std::shared_ptr<State> state_;
  };

  const std::shared_ptr<State> state_ = std::make_shared<State>();
};

}  // namespace um
