// Job: one unit of database work on its way from a coroutine to a database thread and back.
//
// A job is submitted once. The thread that takes it executes it; or it is refused, or removed from
// its queue because its deadline passed or its waiter was cancelled, and was then surely never
// begun. Exactly one complete() follows, which posts the waiting coroutine to the executor it
// awaited on. A job owns copies of everything it works with, so a coroutine that is destroyed takes
// nothing away from it.
//
// Thread safety: the holder of the job (waiter before submission, queue, database thread, waiter
// again) is the only one that touches it; the queue's lock is what passes it on. cancelled() may be
// asked by any.
#pragma once

#include <atomic>
#include <memory>

#include "base/deadline.hpp"
#include "base/error.hpp"
#include "async/task.hpp"

namespace um::sqlite {

class Connection;
class JobQueue;
class Transaction;

class Job {
 public:
  explicit Job(Deadline deadline);
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;
  virtual ~Job();

  virtual void fail(Error error) = 0;
  void complete();

  Deadline deadline() const { return deadline_; }
  bool cancelled() const { return cancelled_.load(std::memory_order_relaxed); }

 private:
  friend Task<void> submit(JobQueue& queue, std::shared_ptr<Job> job);
  struct Waiter;

  Deadline deadline_;
  std::atomic<bool> cancelled_{false};
  std::unique_ptr<Waiter> waiter_;
};

class WriteJob : public Job {
 public:
  using Job::Job;
  // Whether what was done is to be kept. May be executed again after a rollback, from the start.
  virtual bool execute(Transaction& transaction) = 0;
};

class ReadJob : public Job {
 public:
  using Job::Job;
  virtual void execute(Connection& db) = 0;
};

// Puts the job into the queue and waits until it is complete.
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

}  // namespace um::sqlite
