#include "async/waker.hpp"

#include <algorithm>

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace um {

Task<void> Waker::sleep(Deadline deadline, const Clock& clock) {
  // The timer's clock stands still while the machine sleeps, the deadline's does not: nobody sleeps
  // through more than this before looking at the right clock again.
  constexpr std::chrono::nanoseconds kLongest = std::chrono::minutes{1};
  const auto left = deadline.at == BootTime::max() ? kLongest : deadline.at - clock.now();
  timer_.expires_after(std::clamp(left, std::chrono::nanoseconds{0}, kLongest));
  boost::system::error_code woken;
  co_await timer_.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, woken));
}

void Waker::wake() {
  boost::asio::post(timer_.get_executor(), [self = shared_from_this()] { self->timer_.cancel(); });
}

}  // namespace um
