// EventLoops: one io_context and one thread for each.
//
// Thread safety: stop() from any thread, once. The loops run from construction until stop().
#pragma once

#include <cstddef>
#include <memory>
#include <thread>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

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
  // Joins the threads. Whatever still waits on the loops is destroyed with them, not resumed.
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

}  // namespace um
