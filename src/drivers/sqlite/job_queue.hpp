// Jobs: database work on its way from a coroutine to a database thread and back. JobQueue: the
// bounded queue between them. DeadlineWatch: the thread that answers jobs when their deadline
// passes in a queue.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "async/handoff.hpp"
#include "async/task.hpp"
#include "base/clock.hpp"
#include "base/deadline.hpp"
#include "base/error.hpp"

namespace um::sqlite {

class Connection;
class JobQueue;
class Transaction;

// One unit of database work. A job is submitted once. The thread that takes it executes it. A job
// that was refused, or removed from the queue because its deadline passed or its coroutine was
// cancelled, was never begun. Exactly one complete() follows, which wakes the coroutine. A job owns
// copies of everything that it works with, so the coroutine may be destroyed at any time.
//
// Thread safety: one holder at a time touches the job: the coroutine before submission, the queue,
// the database thread, the coroutine again. The lock of the queue passes it on. cancelled() from
// any thread.
class Job {
 public:
  explicit Job(Deadline deadline) : deadline_{deadline} {}
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;
  virtual ~Job() = default;

  virtual void fail(Error error) = 0;
  void complete() { ended_.wake(); }

  Deadline deadline() const { return deadline_; }
  bool cancelled() const { return cancelled_.load(std::memory_order_relaxed); }

 private:
  friend Task<void> submit(JobQueue& queue, std::shared_ptr<Job> job);

  Deadline deadline_;
  std::atomic<bool> cancelled_{false};
  const Handoff ended_;
};

class WriteJob : public Job {
 public:
  using Job::Job;
  // True: the changes are kept. May be executed again after a rollback, from the start.
  virtual bool execute(Transaction& transaction) = 0;
};

class ReadJob : public Job {
 public:
  using Job::Job;
  virtual void execute(Connection& db) = 0;
};

// Puts the job into the queue and waits until it is complete. A cancellation takes a job that was
// not begun out of the queue.
Task<void> submit(JobQueue& queue, std::shared_ptr<Job> job);

// The job that calls `function` and keeps its Result<T>.
template <class T, class Function, class Base, class Context>
class FunctionJob final : public Base {
 public:
  FunctionJob(Deadline deadline, Function function)
      : Base{deadline}, function_{std::move(function)} {}

  void fail(Error error) override { result_ = std::unexpected(std::move(error)); }
  Result<T>& result() { return result_; }

 protected:
  bool call(Context& context) {
    result_ = function_(context);
    return result_.has_value();
  }

 private:
  auto execute(Context& context) -> decltype(std::declval<Base&>().execute(context)) override {
    if constexpr (std::is_void_v<decltype(std::declval<Base&>().execute(context))>) {
      call(context);
    } else {
      return call(context);
    }
  }

  Function function_;
  Result<T> result_ = um::fail(ErrorCode::internal, "the job was not executed");
};

// A first-in first-out queue between event loops and database threads.
//
// Thread safety: any thread.
// Invariants:
//  1. The caller of take() executes the jobs that it got; the queue completes every other job with
//     an error, and that job was never begun.
//  2. Jobs are completed outside the lock.
class JobQueue {
 public:
  struct Options {
    std::size_t capacity = 1024;
    const Clock* clock;  // outlives the queue
    // Called with the deadline of every accepted job (DeadlineWatch); may be empty.
    std::function<void(Deadline)> on_deadline{};
  };
  explicit JobQueue(Options options);

  // Full or closed: the job is completed at once, as overloaded or unavailable.
  void push(std::shared_ptr<Job> job);

  // Waits until there is a job, the queue is closed, wake() was called, or `at` has come.
  void wait(BootTime at);
  // Waits that long, also if there are jobs; only wake() ends it early. For retries.
  void pause(std::chrono::nanoseconds time);
  void wake();

  // The oldest jobs, at most `limit`. Jobs past their deadline are completed instead.
  std::vector<std::shared_ptr<Job>> take(std::size_t limit);
  // Completes the jobs past their deadline; returns the earliest deadline of the others.
  BootTime expire(BootTime now);
  // Completes every waiting job with `error`.
  void fail_all(const Error& error);

  // A job that passes its deadline in the queue fails with the obstacle if one is set, otherwise
  // with `timeout`.
  void set_obstacle(std::optional<Error> obstacle);

  // From now on no job is accepted; jobs in the queue stay.
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

// The thread that completes jobs when their deadline passes in a queue, also while the thread that
// should execute them is stuck in a slow disk.
//
// It sleeps until the earliest deadline that it knows. A push wakes it only if its own deadline is
// earlier, which with deadlines of equal length happens about once per such length and not once per
// job. Thread safety: any thread.
class DeadlineWatch {
 public:
  explicit DeadlineWatch(const Clock& clock) : clock_{clock} {}
  ~DeadlineWatch() { stop(); }

  // Before start(); the queues outlive stop().
  void watch(JobQueue& queue) { queues_.push_back(&queue); }
  void start();
  void stop();

  void on_deadline(Deadline deadline);

 private:
  void loop();

  const Clock& clock_;
  std::vector<JobQueue*> queues_;
  std::atomic<BootTime> wakes_at_{BootTime::max()};
  std::mutex mutex_;
  std::condition_variable changed_;
  bool look_again_ = false;  // guarded by mutex_
  bool stopping_ = false;    // guarded by mutex_
  std::thread thread_;
};

}  // namespace um::sqlite
