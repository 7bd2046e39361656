// ReadGate: how many reads may run on the primary at the same time.
//
// When a lease ends, every request needs the database at the same moment. The gate lets some of
// them through, queues some more in order of arrival, and refuses the rest at once. So the database
// keeps answering at the rate that it can sustain, and no request waits for an answer that comes
// too late.
//
// Thread safety: any thread; each coroutine resumes on its own executor. A permit must not outlive
// the gate.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <utility>

#include "async/task.hpp"
#include "base/counters.hpp"
#include "base/deadline.hpp"
#include "base/error.hpp"

namespace um {

template <class Number>
struct ReadGateNumbers {
  Number reads{};    // of the primary
  Number refused{};  // because the queue was full
  Number late{};     // the deadline passed in the queue
  Number running{};
  Number queued{};

  static constexpr auto table() {
    using N = ReadGateNumbers;
    return std::tuple{
        count_of(&N::reads, {"primary_reads_total", "Reads that went to the database"}),
        count_of(&N::refused, kQueueRefusals, {"queue", "primary_reads"}), count_of(&N::late),
        level_of(&N::running), level_of(&N::queued, kQueueLength, {"queue", "primary_reads"})};
  }
};
using ReadGateStats = ReadGateNumbers<std::uint64_t>;

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
  // overloaded: the queue is full. timeout: no permit before the deadline.
  Task<Result<Permit>> enter(Deadline deadline);
  ReadGateStats stats() const;

 private:
  struct Queued;
  class Place;

  void release();

  const Limits limits_;
  const Clock& clock_;
  mutable std::mutex mutex_;
  std::deque<std::shared_ptr<Queued>> queue_;  // guarded by mutex_, with its elements
  ReadGateStats stats_;
};

}  // namespace um
