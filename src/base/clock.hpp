// The two clocks, and the interface through which code asks for them, so that tests set the time.
//
// BootTime is elapsed time that also counts while the machine sleeps (CLOCK_BOOTTIME): every lease,
// deadline and limit uses it. WallTime is the calendar, for what people and other programs read
// (created_at, exp of a token); no consistency decision rests on it.
//
// Thread safety: Clock implementations may be called from any thread.
#pragma once

#include <atomic>
#include <chrono>

namespace um {

struct BootClock {
  using duration = std::chrono::nanoseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<BootClock>;
  static constexpr bool is_steady = true;
  static time_point now();
};
using BootTime = BootClock::time_point;
using WallTime = std::chrono::sys_time<std::chrono::microseconds>;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual BootTime now() const = 0;
  virtual WallTime wall_now() const = 0;
};

class SystemClock final : public Clock {
 public:
  BootTime now() const override { return BootClock::now(); }
  WallTime wall_now() const override;
};

// For tests: stands still until advance().
class ManualClock final : public Clock {
 public:
  explicit ManualClock(WallTime start = WallTime{std::chrono::seconds{1'700'000'000}})
      : start_{start} {}
  BootTime now() const override { return BootTime{elapsed()}; }
  WallTime wall_now() const override {
    return start_ + std::chrono::duration_cast<std::chrono::microseconds>(elapsed());
  }
  void advance(std::chrono::nanoseconds by) { elapsed_.fetch_add(by.count()); }

 private:
  std::chrono::nanoseconds elapsed() const { return std::chrono::nanoseconds{elapsed_.load()}; }
  WallTime start_;
  std::atomic<std::int64_t> elapsed_{1'000'000'000};
};

}  // namespace um
