// EventLoops: one io_context and one thread for each.
//
// Thread safety: stop() from any thread, once. The loops run from construction until stop().
#pragma once

#include <cstddef>
#include <memory>
#include <thread>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>

#include "async/task.hpp"

namespace um {

class EventLoops {
 public:
  explicit EventLoops(std::size_t count);
  ~EventLoops() { stop(); }
  EventLoops(const EventLoops&) = delete;
  EventLoops& operator=(const EventLoops&) = delete;

  std::vector<boost::asio::io_context*> contexts() const;
  // The loop for work that belongs to no connection.
  boost::asio::io_context& first() { return loops_.front()->context; }
  // Joins the threads. A coroutine that still waits on a loop is destroyed with it, not resumed.
  void stop();

 private:
  struct Loop {
    boost::asio::io_context context{1};  // one thread runs it
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work{
        context.get_executor()};
    std::thread thread;
  };
  std::vector<std::unique_ptr<Loop>> loops_;
};

// Runs a coroutine on a loop and blocks the calling thread, which is not a loop, until it ends.
template <class T>
T wait_for(boost::asio::io_context& loop, Task<T> task) {
  return boost::asio::co_spawn(loop, std::move(task), boost::asio::use_future).get();
}

}  // namespace um
