// LoopThread: an event loop that runs on a thread of its own, for tests of parts that need one
// that runs. The destructor waits until nothing is left to do on the loop.
#pragma once

#include <thread>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

namespace um::test {

class LoopThread {
 public:
  LoopThread() = default;
  LoopThread(const LoopThread&) = delete;
  LoopThread& operator=(const LoopThread&) = delete;
  ~LoopThread() {
    work_.reset();
    thread_.join();
  }

  std::vector<boost::asio::io_context*> loops() { return {&context_}; }

 private:
  boost::asio::io_context context_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{
      context_.get_executor()};
  std::thread thread_{[this] { context_.run(); }};
};

}  // namespace um::test
