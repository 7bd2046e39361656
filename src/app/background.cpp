#include "app/background.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>

namespace um {

std::function<void()> Background::start(Chore chore) {
  Running& running = running_.emplace_back(loop_, std::move(chore));
  running.ended = boost::asio::co_spawn(loop_, repeat(running), boost::asio::use_future);
  return [this, &running] {
    boost::asio::post(loop_, [&running] {
      running.wanted = true;
      running.timer.cancel();
    });
  };
}

Task<void> Background::repeat(Running& running) {
  while (!running.stopping) {
    if (!running.wanted) {
      running.timer.expires_after(running.chore.every);
      boost::system::error_code cancelled;
      co_await running.timer.async_wait(
          boost::asio::redirect_error(boost::asio::use_awaitable, cancelled));
    }
    running.wanted = false;
    if (running.stopping) break;
    const bool more = co_await running.chore.work();
    if (more) running.wanted = true;
  }
}

void Background::stop() {
  for (Running& running : running_) {
    boost::asio::post(loop_, [&running] {
      running.stopping = true;
      running.timer.cancel();
    });
  }
  for (Running& running : running_) running.ended.wait();
  running_.clear();
}

}  // namespace um
