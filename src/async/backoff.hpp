// Backoff: when the next attempt to connect may be made. The wait doubles from `first` to `most`
// with each failure, less up to half of it by chance, so that many instances do not come back at
// the same moment.
// Thread safety: none; one loop.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/clock.hpp"

namespace um::pg {

class Backoff {
 public:
  struct Bounds {
    std::chrono::nanoseconds first;
    std::chrono::nanoseconds most;
  };
  explicit Backoff(Bounds bounds) : bounds_{bounds} {}

  // `chance`: any random number.
  void failed(BootTime now, std::uint64_t chance) {
    not_before_ = now + jittered(chance);
    failures_ = std::min(failures_ + 1, 30U);
  }
  // A connection that worked was lost: a short wait, but no failure.
  void lost(BootTime now, std::uint64_t chance) {
    not_before_ = std::max(not_before_, now + jittered(chance));
  }
  void succeeded() {
    failures_ = 0;
    not_before_ = {};
  }

  BootTime not_before() const { return not_before_; }
  // Whether nothing but failures happened since the last success.
  bool failing() const { return failures_ > 0; }

 private:
  std::chrono::nanoseconds jittered(std::uint64_t chance) const {
    const auto full = std::min(bounds_.most, bounds_.first * (std::int64_t{1} << failures_));
    return full - full * static_cast<std::int64_t>(chance % 512) / 1024;
  }

  Bounds bounds_;
  unsigned failures_ = 0;
  BootTime not_before_{};
};

}  // namespace um::pg
