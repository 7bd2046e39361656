// How long an end-to-end test waits for something that must happen: far longer than it ever takes,
// so that a slow machine fails no test; nothing is measured with it.
#pragma once

#include <chrono>

namespace um::e2e {

using Steady = std::chrono::steady_clock;

inline constexpr std::chrono::seconds kPatience{20};

inline Steady::time_point patience() {
  return Steady::now() + kPatience;
}

// Milliseconds left, never negative: what poll(2) takes.
inline int milliseconds_until(Steady::time_point deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Steady::now()).count();
  return left < 0 ? 0 : static_cast<int>(left);
}

// Calls `condition` until it is true; false when the patience is at its end. For states that only
// polling can see: each call is a request of its own, which is what paces the loop.
template <class Condition>
bool eventually(Condition condition, std::chrono::nanoseconds at_most = kPatience) {
  const auto deadline = Steady::now() + at_most;
  do {
    if (condition()) return true;
  } while (Steady::now() < deadline);
  return false;
}

}  // namespace um::e2e
