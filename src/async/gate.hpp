// ReadGate: how many reads may be at the primary at once.
//
// When a lease lapses every request needs the database at the same moment. The gate lets some of
// them through, queues some more in order of arrival, and refuses the rest at once, so that the
// database keeps answering at the rate it can and nobody waits for an answer that comes too late.
//
// Thread safety: any thread; each coroutine resumes on its own executor (see waker.hpp). A permit
// must not outlive the gate.
#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <utility>

#include "base/deadline.hpp"
#include "base/error.hpp"
#include "async/task.hpp"
#include "cache/cache_stats.hpp"

namespace um {

class ReadGate {
 public:
  struct Limits {
    std::size_t running = 64;
    std::size_t queued = 2048;
  };
  ReadGate(Limits limits, const Clock& clock) : limits_{limits}, clock_{clock} {}
  ReadGate(const ReadGate&) = delete;
  ReadGate& operator=(const ReadGate&) = delete;

  // The right to read, given back when it is destroyed.
  class Permit {
   public:
    explicit Permit(ReadGate& gate) : gate_{&gate} {}
    Permit(Permit&& other) noexcept : gate_{std::exchange(other.gate_, nullptr)} {}
    Permit& operator=(Permit&&) = delete;
    ~Permit() {
      if (gate_ != nullptr) gate_->release();
    }

   private:
    ReadGate* gate_;
  };
  // overloaded: the queue is full. timeout: no turn before the deadline.
  Task<Result<Permit>> enter(Deadline deadline);
  ReadGateStats stats() const;

 private:
  struct Waiter;
  class Place;

  void release();

  const Limits limits_;
  const Clock& clock_;
  mutable std::mutex mutex_;
  std::deque<std::shared_ptr<Waiter>> queue_;  // guarded by mutex_, like everything in a Waiter
  ReadGateStats stats_;
};

}  // namespace um
