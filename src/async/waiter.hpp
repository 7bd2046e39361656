// Waiter: one coroutine that waits until another thread wakes it, at most for a given time.
//
// Thread safety: wake() from any thread, before, during or after the wait. The coroutine runs on an
// executor that runs one handler at a time (an event loop or a strand), and waits once at a time.
#pragma once

#include <memory>
#include <mutex>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "async/task.hpp"

namespace um {

class Waiter {
 public:
  void wake(const std::shared_ptr<Waiter>& self);
  // How a wait in a queue ended. `gone`: who asked is no longer there (a cancellation of the type
  // total, see drivers/http/handler.hpp, or terminal).
  enum class Outcome { woken, time_passed, gone };
  // Like wait(), and lets a cancellation end it that must not interrupt anything else, a write to
  // the database least of all: before and after, the coroutine hears terminal cancellations only.
  // A cancellation during the wait is used up by it; the caller gives up in an orderly way.
  static Task<Outcome> wait_while_wanted(std::shared_ptr<Waiter> self,
                                         std::chrono::nanoseconds at_most);
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
