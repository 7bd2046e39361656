// Deadline: how long a caller waits; passed down through every await.
#pragma once

#include <algorithm>

#include "base/clock.hpp"

namespace um {

struct Deadline {
  // After it the caller no longer wants an answer.
  BootTime at = BootTime::max();
  // After it nobody waits for what only spares work, such as a memory shared over the network: all
  // that a request asks there has this one bound.
  BootTime shortcuts_until = BootTime::max();

  static Deadline never() { return {}; }
  static Deadline after(const Clock& clock, std::chrono::nanoseconds wait) {
    return {clock.now() + wait};
  }
  bool passed(BootTime now) const { return now >= at; }
  // For a part of the work.
  Deadline no_later_than(BootTime sooner) const {
    return {.at = std::min(at, sooner), .shortcuts_until = shortcuts_until};
  }
};

}  // namespace um
