#include "base/clock.hpp"

#include <time.h>

namespace um {

BootTime BootClock::now() {
  timespec ts{};
  ::clock_gettime(CLOCK_BOOTTIME, &ts);
  return BootTime{std::chrono::seconds{ts.tv_sec} + std::chrono::nanoseconds{ts.tv_nsec}};
}

WallTime SystemClock::wall_now() const {
  return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
}

}  // namespace um
