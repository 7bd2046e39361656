// Waiter: one coroutine that waits until another thread wakes it, at most for a given time.
//
// Thread safety: wake() from any thread, before, during or after the wait. The coroutine runs on an
// executor that runs one handler at a time (an event loop or a strand), and waits at most once.
#pragma once

#include <memory>
#include <mutex>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/task.hpp"

namespace um {

class Waiter {
 public:
  void wake(const std::shared_ptr<Waiter>& self);
  // True if woken; false if the time passed or the coroutine was cancelled. Resumes on the caller's
  // executor. If the coroutine is destroyed meanwhile, a later wake() does nothing.
  static Task<bool> wait(std::shared_ptr<Waiter> self, std::chrono::nanoseconds at_most);

 private:
  class Attached;
  std::mutex mutex_;
  bool woken_ = false;
  boost::asio::steady_timer* timer_ = nullptr;  // lives in the frame of wait()
};

}  // namespace um
