// Deadline: until when a caller waits; passed down to every await. Thread safety: as any value.
#pragma once

#include <algorithm>

#include "base/clock.hpp"

namespace um {

struct Deadline {
  // After it the caller no longer wants an answer.
  BootTime at = BootTime::max();
  // Bounds all waiting of one request for L2, which only saves work: after it the request goes on
  // without.
  BootTime l2_until = BootTime::max();

  static Deadline never() { return {}; }
  static Deadline after(const Clock& clock, std::chrono::nanoseconds wait) {
    return {clock.now() + wait};
  }
  bool passed(BootTime now) const { return now >= at; }
  // The deadline of a part of the work.
  Deadline no_later_than(BootTime sooner) const {
    return {.at = std::min(at, sooner), .l2_until = l2_until};
  }
};

}  // namespace um
