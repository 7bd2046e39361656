// The moment after which a caller no longer wants an answer; passed down through every await.
#pragma once

#include "base/clock.hpp"

namespace um {

struct Deadline {
  BootTime at = BootTime::max();

  static Deadline never() { return {}; }
  static Deadline after(const Clock& clock, std::chrono::nanoseconds wait) {
    return {clock.now() + wait};
  }
  bool passed(BootTime now) const { return now >= at; }
};

}  // namespace um
