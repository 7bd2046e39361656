// pause: a coroutine waits for a while, on real time. A cancellation ends the pause early; the
// coroutine throws at its next co_await, as usual.
//
// Thread safety: each coroutine resumes on its own executor.
#pragma once

#include <chrono>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "async/task.hpp"

namespace um {

inline Task<void> pause(std::chrono::nanoseconds time) {
  boost::asio::steady_timer timer{co_await boost::asio::this_coro::executor, time};
  boost::system::error_code interrupted;
  co_await timer.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, interrupted));
}

}  // namespace um
