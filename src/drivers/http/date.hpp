// Dates as HTTP writes them (IMF-fixdate, RFC 9110 section 5.6.7), and the Date line of answers.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/clock.hpp"

namespace um::http {

// "Sun, 06 Nov 1994 08:49:37 GMT". Years 0 to 9999. Pure.
std::string format_date(std::chrono::sys_seconds time);

// "Date: …\r\n", formatted once a second. Not thread safe: one per loop.
class DateLine {
 public:
  explicit DateLine(const Clock& clock) : clock_{clock} {}
  // `now` of the boot clock, which tells whether the second is over.
  std::string_view at(BootTime now) {
    if (now >= valid_until_) refresh(now);
    return line_;
  }

 private:
  void refresh(BootTime now);

  const Clock& clock_;
  BootTime valid_until_{};
  std::string line_;
};

}  // namespace um::http
