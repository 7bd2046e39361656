// Time limits of end-to-end tests: far longer than any wait takes, so that no test fails because
// the machine is slow. They measure nothing.
#pragma once

#include <chrono>

namespace um::e2e {

using Steady = std::chrono::steady_clock;

inline constexpr std::chrono::seconds kPatience{20};

inline Steady::time_point patience() {
  return Steady::now() + kPatience;
}

// The milliseconds that are left, never negative; for poll(2).
inline int milliseconds_until(Steady::time_point deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Steady::now()).count();
  return left < 0 ? 0 : static_cast<int>(left);
}

// Calls `condition` until it is true; false after `at_most`. For conditions that only polling can
// check. Each call makes a request, which slows the loop down enough.
template <class Condition>
bool eventually(Condition condition, std::chrono::nanoseconds at_most = kPatience) {
  const auto deadline = Steady::now() + at_most;
  do {
    if (condition()) return true;
  } while (Steady::now() < deadline);
  return false;
}

}  // namespace um::e2e
