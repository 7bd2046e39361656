// run: drives one coroutine to its end on an event loop of its own, for callers that have nothing
// else to do meanwhile: the commands of the command line, benchmarks, tests.
#pragma once

#include <exception>
#include <optional>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include "async/task.hpp"

namespace um {

// Rethrows what the task throws. The task has deadlines of its own; this waits for it.
template <class T>
T run(Task<T> task) {
  boost::asio::io_context loop{1};
  auto busy = boost::asio::make_work_guard(loop);  // also while the answer is on another thread
  std::exception_ptr failure;
  std::optional<T> result;
  const auto done = [&](std::exception_ptr error, T value) {
    failure = error;
    if (!error) result.emplace(std::move(value));
    busy.reset();
  };
  boost::asio::co_spawn(loop, std::move(task), done);
  loop.run();
  if (failure) std::rethrow_exception(failure);
  return std::move(*result);
}

inline void run(Task<void> task) {
  const auto with_value = [](Task<void> inner) -> Task<bool> {
    co_await std::move(inner);
    co_return true;
  };
  (void)run(with_value(std::move(task)));
}

}  // namespace um
