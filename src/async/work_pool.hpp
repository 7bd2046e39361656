// WorkPool: a fixed number of threads with a bounded queue, for work that takes too long for an
// event loop. Callers are coroutines. A caller that is cancelled, or that reaches its deadline,
// leaves the queue at once; work that a thread has begun is finished and its result dropped.
//
// Thread safety: any thread; a caller runs on an executor that runs one handler at a time.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "async/task.hpp"
#include "base/clock.hpp"
#include "base/deadline.hpp"
#include "base/error.hpp"

namespace um {

class WorkPool {
 public:
  struct Options {
    std::size_t threads = 1;
    std::size_t queue = 1;                       // waiting; full means `overloaded`
    std::chrono::milliseconds typical_work{50};  // for Retry-After
  };
  struct Stats {
    std::size_t queued = 0;
    std::uint64_t refused = 0;
    std::uint64_t cancelled = 0;
  };

  // `clock` outlives the pool.
  WorkPool(Options options, const Clock& clock);
  // Waiting callers are answered `unavailable`; joins the threads.
  ~WorkPool();
  WorkPool(const WorkPool&) = delete;
  WorkPool& operator=(const WorkPool&) = delete;

  // Runs `work` on a thread of the pool. `work` does not throw and owns the data that it uses: it
  // may outlive the caller. A cancellation, also of the type total, takes waiting work out of the
  // queue; work that has begun is waited for. Errors: overloaded, timeout, cancelled, unavailable
  // (the pool is being closed).
  Task<Result<void>> run(std::function<void()> work, Deadline deadline);
  Stats stats() const;

 private:
  struct Item;
  class Leave;
  struct Shared;
  Options options_;
  const Clock& clock_;
  std::shared_ptr<Shared> shared_;
  std::vector<std::jthread> threads_;
};

}  // namespace um
