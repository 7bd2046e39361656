// Timeline: simulated time, and the scripts that wait for it. The script with the earliest time
// runs next, and no two scripts run at the same time, so a seed determines the whole run.
//
// Host: a process. The scripts of a stopped one wait until it is resumed. Its clock counts from an
// origin of its own and is a little fast or slow (assumption A2 of docs/consistency.md).
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>
#include <vector>

#include "base/clock.hpp"
#include "consistency/script.hpp"

namespace um::sim {

using Time = std::int64_t;  // microseconds of one perfect clock
inline constexpr Time kNever = std::numeric_limits<Time>::max();

constexpr BootTime boot_time(Time time) {
  return BootTime{std::chrono::microseconds{time}};
}
constexpr Time in_microseconds(std::chrono::nanoseconds time) {
  return time.count() / 1000;
}

struct Host {
  Time stopped_until = 0;
  Time origin = 0;
  Time per_million = 0;  // how much faster than the perfect clock

  Time local(Time now) const { return origin + now + now * per_million / 1'000'000; }
  // The first moment at which the local clock shows this time or a later one, or a little later.
  Time global(Time local) const {
    return (local - origin) - (local - origin) * per_million / 1'000'000 + 2;
  }
};

class Wait;

class Timeline {
 public:
  Time now() const { return now_; }
  // Runs the script with the earliest time. REQUIRES: one waits.
  inline void step();
  // A host that is null never stops: a server, or the network.
  inline Wait until(const Host* host, Time time);

 private:
  friend class Wait;
  friend class Signal;
  Time now_ = 1;
  std::vector<Wait*> waiting_;
};

// What co_await takes; ends when the time has come, or a signal.
class Signal;
class Wait {
 public:
  Wait(Timeline& timeline, const Host* host, Time time, Signal* signal = nullptr)
      : timeline_{timeline}, host_{host}, time_{time}, signal_{signal} {}
  Wait(const Wait&) = delete;
  Wait& operator=(const Wait&) = delete;
  ~Wait() { stop(); }

  bool await_ready() const noexcept { return false; }
  inline void await_suspend(std::coroutine_handle<> script);
  void await_resume() noexcept { stop(); }

 private:
  friend class Timeline;
  friend class Signal;
  Time due() const { return host_ == nullptr ? time_ : std::max(time_, host_->stopped_until); }
  inline void stop();

  Timeline& timeline_;
  const Host* const host_;
  Time time_;
  Signal* const signal_;
  std::coroutine_handle<> script_{};
  bool waits_ = false;
};

// Ends a wait early. A signal that nobody waits for ends the next wait.
class Signal {
 public:
  explicit Signal(Timeline& timeline) : timeline_{timeline} {}
  Signal(const Signal&) = delete;
  Signal& operator=(const Signal&) = delete;

  void ring() {
    rung_ = true;
    if (waiter_ != nullptr) waiter_->time_ = std::min(waiter_->time_, timeline_.now());
  }
  // Whether it rang since the last call.
  bool take() { return std::exchange(rung_, false); }

 private:
  friend class Wait;
  Timeline& timeline_;
  Wait* waiter_ = nullptr;  // at most one
  bool rung_ = false;
};

Wait Timeline::until(const Host* host, Time time) {
  return Wait{*this, host, time};
}

void Timeline::step() {
  Wait* const next = *std::ranges::min_element(waiting_, {}, &Wait::due);
  now_ = std::max(now_ + 1, next->due());
  const auto script = next->script_;
  next->stop();
  script.resume();
}

void Wait::await_suspend(std::coroutine_handle<> script) {
  script_ = script;
  waits_ = true;
  timeline_.waiting_.push_back(this);
  if (signal_ == nullptr) return;
  signal_->waiter_ = this;
  if (signal_->rung_) time_ = std::min(time_, timeline_.now());
}

void Wait::stop() {
  if (!waits_) return;
  waits_ = false;
  if (signal_ != nullptr) signal_->waiter_ = nullptr;
  auto& waiting = timeline_.waiting_;
  *std::ranges::find(waiting, this) = waiting.back();
  waiting.pop_back();
}

}  // namespace um::sim
