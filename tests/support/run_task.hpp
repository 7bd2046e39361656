// run(Task): drives a coroutine to its end on an event loop of its own and gives back its value.
// run_all(tasks): the same for many at once on one loop; values in the order of the tasks.
#pragma once

#include <exception>
#include <optional>
#include <utility>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "async/run_task.hpp"
#include "async/task.hpp"

namespace um::test {

using um::run;

// Rethrows the first failure when all of them have ended (async/run_task.hpp says why not before).
template <class T>
std::vector<T> run_all(std::vector<Task<T>> tasks) {
  boost::asio::io_context loop{1};
  std::exception_ptr failure;
  std::vector<std::optional<T>> values(tasks.size());
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    const auto done = [&values, &failure, i](const std::exception_ptr& failed, T value) {
      if (failed && !failure) failure = failed;
      if (!failed) values[i].emplace(std::move(value));
    };
    boost::asio::co_spawn(loop, std::move(tasks[i]), done);
  }
  loop.run();
  if (failure) std::rethrow_exception(failure);
  std::vector<T> all;
  for (auto& value : values) all.push_back(std::move(value.value()));
  return all;
}

}  // namespace um::test
