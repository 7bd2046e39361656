// ReaderPool: a few threads, each with a read-only connection of its own, behind one bounded queue.
//
// In WAL mode readers neither wait for the writer nor hold it up. Work of different length belongs
// into different pools, so that a look-up never waits for a scan. A running statement is
// interrupted when the deadline of its job passes.
//
// Thread safety: run() from any thread.
#pragma once

#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "drivers/sqlite/connection.hpp"
#include "drivers/sqlite/database_file.hpp"
#include "drivers/sqlite/job_queue.hpp"

namespace um::sqlite {

class ReaderPool {
 public:
  struct Options {
    Connection::Options connection{};
    std::size_t threads = 2;
    std::size_t queue_capacity = 1024;
    const Clock* clock;  // outlives the pool
    std::function<void(Deadline)> on_deadline{};
    const OpenFiles* files = nullptr;  // of the writer; nullptr: not checked
  };

  explicit ReaderPool(Options options);
  ~ReaderPool() { stop(); }

  void start();
  // Refuses new jobs, finishes the accepted ones, ends the threads.
  void stop();

  // function: Result<T>(Connection&), on one of the pool's threads; owns all it refers to.
  template <class T, class Function>
  Task<Result<T>> run(Deadline deadline, Function function) {
    using Work = FunctionJob<T, Function, ReadJob, Connection>;
    auto job = std::make_shared<Work>(deadline, std::move(function));
    co_await submit(queue_, job);
    co_return std::move(job->result());
  }

  JobQueue& queue() { return queue_; }
  const JobQueue& queue() const { return queue_; }

 private:
  void loop();
  void execute(ReadJob& job, std::unique_ptr<Connection>& db) const;

  const Options options_;
  JobQueue queue_;
  std::vector<std::thread> threads_;
};

}  // namespace um::sqlite
