// JobQueue: a bounded first-in first-out queue between event loops and database threads.
//
// Thread safety: any thread.
// Invariants:
//  1. A job that left the queue by take() is executed by who took it; every other job is completed
//     by the queue itself with an error and was never begun.
//  2. Jobs are completed outside the lock.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "drivers/sqlite/job.hpp"

namespace um::sqlite {

class JobQueue {
 public:
  struct Options {
    std::size_t capacity = 1024;
    const Clock* clock;  // outlives the queue
    // Told the deadline of every accepted job (DeadlineWatch); may be empty.
    std::function<void(Deadline)> on_deadline{};
  };
  explicit JobQueue(Options options);

  // Full or closed: the job is completed at once, as overloaded or unavailable.
  void push(std::shared_ptr<Job> job);

  // Waits until there is a job, the queue is closed, somebody called wake(), or `at` has come.
  void wait(BootTime at);
  // Waits that long, whatever is in the queue; ended early by wake() alone. For retries.
  void pause(std::chrono::nanoseconds time);
  void wake();

  // The oldest jobs, at most `limit`, without those whose time has passed: these are completed.
  std::vector<std::shared_ptr<Job>> take(std::size_t limit);
  // Completes the jobs whose time has passed; the earliest deadline of the others.
  BootTime expire(BootTime now);
  // Completes every waiting job with `error`.
  void fail_all(const Error& error);

  // What a job is told whose deadline passes in the queue: `timeout`, or the obstacle if one is
  // set.
  void set_obstacle(std::optional<Error> obstacle);

  // From now on nothing is accepted; what is in the queue stays.
  void close();
  bool closed() const;
  bool empty() const;
  std::size_t size() const;
  std::uint64_t refused() const;

 private:
  using Jobs = std::vector<std::shared_ptr<Job>>;
  bool over(const Job& job, BootTime now) const {
    return job.cancelled() || job.deadline().passed(now);
  }
  Error expiry() const;  // with the lock held
  static void fail_each(const Jobs& jobs, const Error& error);

  const Options options_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  // guarded by mutex_
  std::deque<std::shared_ptr<Job>> jobs_;
  std::optional<Error> obstacle_;
  std::uint64_t refused_ = 0;
  bool closed_ = false;
  bool woken_ = false;
};

}  // namespace um::sqlite
