// PostgresBell: sends wake-ups (NOTIFY) to the other instances, on a connection of its own
// (docs/consistency.md, section 7).
//
// A NOTIFY takes one lock for the whole cluster until its transaction has committed, and another
// application may hold that lock for as long as it likes. So a NOTIFY never shares a transaction
// with anything that matters, waits at most 50 ms, and its failure is counted and ignored: lost
// wake-ups cost time, never correctness. Wake-ups that come while one is being sent are sent
// together afterwards.
//
// Its thread and its connection begin with the first wake-up: a process that writes nothing has
// none.
//
// Thread safety: any thread; wake() and seen() do not block.
#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include "base/clock.hpp"
#include "base/counters.hpp"
#include "base/secret.hpp"
#include "drivers/pg/direct_connection.hpp"

namespace um {

template <class Number>
struct BellNumbers {
  Number rung{};
  Number failed{};

  static constexpr auto table() {
    using N = BellNumbers;
    constexpr MetricText kWakeUps{"wake_ups_total", "Wake-ups sent to the other instances"};
    return std::tuple{count_of(&N::rung, kWakeUps, {"result", "sent"}),
                      count_of(&N::failed, kWakeUps, {"result", "failed"})};
  }
};
using BellStats = BellNumbers<std::uint64_t>;

class PostgresBell {
 public:
  struct Options {
    Secret url{};
    const Clock* clock;                       // outlives the bell
    std::string sender{};                     // the payload of wake(): its sender need not hear it
    std::chrono::milliseconds patience{500};  // per statement, and for connecting
  };
  explicit PostgresBell(Options options);
  ~PostgresBell() { stop(); }

  void stop();

  void wake() { ring(kWakeBit); }  // poll now: there is a hold
  void seen() { ring(kSeenBit); }  // this instance has acknowledged holds

  BellStats stats() const { return read_counters(counters_); }

 private:
  static constexpr unsigned kWakeBit = 1;
  static constexpr unsigned kSeenBit = 2;
  void ring(unsigned which);
  void loop();
  bool send(unsigned which);

  const Options options_;
  pg::Interrupt interrupt_;
  BellNumbers<Counter> counters_;
  std::mutex mutex_;
  std::condition_variable changed_;
  unsigned wanted_ = 0;  // guarded by mutex_
  bool stopping_ = false;
  pg::DirectConnection connection_;  // of the thread
  std::thread thread_;               // begun under mutex_
};

}  // namespace um
