// Deadline: until when a caller waits; passed down to every await. Thread safety: as any value.
#pragma once

#include <algorithm>

#include "base/clock.hpp"

namespace um {

struct Deadline {
  // After it the caller no longer wants an answer.
  BootTime at = BootTime::max();
  // Bounds all waiting of one request for shortcuts that only save work, such as L2: after it the
  // request goes on without.
  BootTime shortcuts_until = BootTime::max();

  static Deadline never() { return {}; }
  static Deadline after(const Clock& clock, std::chrono::nanoseconds wait) {
    return {clock.now() + wait};
  }
  bool passed(BootTime now) const { return now >= at; }
  // The deadline of a part of the work.
  Deadline no_later_than(BootTime sooner) const {
    return {.at = std::min(at, sooner), .shortcuts_until = shortcuts_until};
  }
};

}  // namespace um
