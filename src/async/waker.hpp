// Waker: one coroutine waits, anyone on any thread wakes it, or its deadline does.
//
// Thread safety: wake() from any thread; sleep() only from the coroutine that the waker belongs to.
// Its executor runs one handler at a time (a loop with one thread, or a strand), so a wake-up that
// was sent after the coroutine looked at its state arrives after it has gone to sleep: none is
// lost.
#pragma once

#include <chrono>
#include <memory>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/deadline.hpp"
#include "async/task.hpp"

namespace um {

class Waker : public std::enable_shared_from_this<Waker> {
 public:
  explicit Waker(const boost::asio::any_io_executor& executor) : timer_{executor} {}

  // Returns after wake() or at the deadline, and now and then for no reason: callers look again.
  // Throws boost::system::system_error if the coroutine was cancelled.
  Task<void> sleep(Deadline deadline, const Clock& clock);
  void wake();

 private:
  boost::asio::steady_timer timer_;
};

}  // namespace um
