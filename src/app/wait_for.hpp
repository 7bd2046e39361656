// wait_for: runs a coroutine on an event loop and blocks the calling thread, which is not a loop,
// until it ends. For the main thread at start-up.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>

#include "async/task.hpp"

namespace um {

template <class T>
T wait_for(boost::asio::io_context& loop, Task<T> task) {
  return boost::asio::co_spawn(loop, std::move(task), boost::asio::use_future).get();
}

}  // namespace um
