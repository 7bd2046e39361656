// Background: chores that repeat while the program runs. Each chore is a coroutine that is called
// at its interval, on one event loop; a chore that takes longer delays only itself.
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
    // True: the chore is called again at once. It reports its failures itself and does not throw.
    std::function<Task<bool>()> work;
  };

  // `loop` outlives it and runs from start() until stop() has returned.
  explicit Background(boost::asio::io_context& loop) : loop_{loop} {}
  ~Background() { stop(); }
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;

  // Returns a function that calls the chore now, or once more if it is under way. The function may
  // be called from any thread until stop() is called.
  std::function<void()> start(Chore chore);
  // Returns when the chores under way have finished.
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
