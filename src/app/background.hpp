// Background: what is done again and again while the service runs. Each chore is a coroutine that
// is called at its interval, on one event loop; one that takes longer delays only itself.
//
// Thread safety: start() and stop() from one thread that is not a loop.
#pragma once

#include <chrono>
#include <functional>
#include <future>
#include <list>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "async/task.hpp"

namespace um {

class Background {
 public:
  struct Chore {
    std::chrono::milliseconds every;
    // True: there is more to do, at once. Reports its failures itself; does not throw.
    std::function<Task<bool>()> work;
  };

  // `loop` outlives it and runs from start() until stop() has returned.
  explicit Background(boost::asio::io_context& loop) : loop_{loop} {}
  ~Background() { stop(); }
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;

  // What it returns makes the chore happen now, or once more if it is under way: from any thread,
  // until stop() is called.
  std::function<void()> start(Chore chore);
  // Lets the chores under way finish and returns when they have.
  void stop();

 private:
  struct Running {
    Running(boost::asio::io_context& loop, Chore c) : chore{std::move(c)}, timer{loop} {}
    Chore chore;
    boost::asio::steady_timer timer;
    // Touched on the loop only.
    bool stopping = false;
    bool wanted = false;
    std::future<void> ended{};
  };
  static Task<void> repeat(Running& running);

  boost::asio::io_context& loop_;
  std::list<Running> running_;
};

}  // namespace um
