// run(Task): drives a coroutine to its end on an event loop of its own and gives back its value.
// run_all(tasks): the same for many at once on one loop; values in the order of the tasks.
#pragma once

#include <exception>
#include <optional>
#include <utility>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "base/task.hpp"

namespace um::test {

template <class T>
std::vector<T> run_all(std::vector<Task<T>> tasks) {
  boost::asio::io_context loop{1};
  std::vector<std::optional<T>> values(tasks.size());
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    boost::asio::co_spawn(loop, std::move(tasks[i]),
                          [&values, i](const std::exception_ptr& failed, T value) {
                            if (failed) std::rethrow_exception(failed);
                            values[i].emplace(std::move(value));
                          });
  }
  loop.run();
  std::vector<T> all;
  for (auto& value : values) all.push_back(std::move(value.value()));
  return all;
}

template <class T>
T run(Task<T> task) {
  std::vector<Task<T>> tasks;
  tasks.push_back(std::move(task));
  return std::move(run_all(std::move(tasks)).front());
}

}  // namespace um::test
