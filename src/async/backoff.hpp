// Backoff: how long to pause before an operation that failed is tried again. The bound of the pause
// doubles from `first` to `most` with each failure. Chance shortens every pause, so that clients
// that failed together do not all come back at the same moment (M. Brooker, "Exponential Backoff
// and Jitter", AWS Architecture Blog, 2015).
//
// Thread safety: none. Pure: the time and the random numbers come from the caller.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "base/clock.hpp"

namespace um {

class Backoff {
 public:
  struct Bounds {
    std::chrono::nanoseconds first;
    std::chrono::nanoseconds most;
  };
  enum class Jitter {
    half,  // a pause is at least half of its bound: gives a server time to recover
    full,  // a pause may be 0: spreads callers that compete for the same thing
  };
  explicit Backoff(Bounds bounds, Jitter jitter = Jitter::half)
      : bounds_{bounds}, jitter_{jitter}, bound_{std::min(bounds.first, bounds.most)} {}

  // After a failure: the pause before the next attempt. `chance`: any random number; 0 shortens
  // nothing.
  std::chrono::nanoseconds pause(std::uint64_t chance) {
    const auto pause = shortened(chance);
    bound_ = std::min(bounds_.most, 2 * bound_);
    failing_ = true;
    return pause;
  }

  // The same as points in time: an attempt may begin at not_before().
  void failed(BootTime now, std::uint64_t chance) { not_before_ = now + pause(chance); }
  // A connection that worked was lost: a pause, but no failure.
  void lost(BootTime now, std::uint64_t chance) {
    not_before_ = std::max(not_before_, now + shortened(chance));
  }
  BootTime not_before() const { return not_before_; }

  void succeeded() {
    bound_ = std::min(bounds_.first, bounds_.most);
    failing_ = false;
    not_before_ = {};
  }
  // Whether there was a failure since the last success.
  bool failing() const { return failing_; }

 private:
  std::chrono::nanoseconds shortened(std::uint64_t chance) const {
    constexpr std::int64_t kWhole = 1024;
    const std::int64_t most = jitter_ == Jitter::full ? kWhole : kWhole / 2;
    const auto steps = static_cast<std::uint64_t>(most) + 1;
    return bound_ - bound_ * static_cast<std::int64_t>(chance % steps) / kWhole;
  }

  Bounds bounds_;
  Jitter jitter_;
  std::chrono::nanoseconds bound_;
  bool failing_ = false;
  BootTime not_before_{};
};

}  // namespace um
