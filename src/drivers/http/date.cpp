#include "drivers/http/date.hpp"

#include <array>

#include <fmt/format.h>

namespace um::http {

std::string format_date(std::chrono::sys_seconds time) {
  constexpr std::array kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{time - day};
  return fmt::format(
      "{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", kDays[std::chrono::weekday{day}.c_encoding()],
      static_cast<unsigned>(date.day()), kMonths[static_cast<unsigned>(date.month()) - 1],
      static_cast<int>(date.year()), clock.hours().count(), clock.minutes().count(),
      clock.seconds().count());
}

void DateLine::refresh(BootTime now) {
  const WallTime wall = clock_.wall_now();
  const auto second = std::chrono::floor<std::chrono::seconds>(wall);
  line_ = "Date: " + format_date(second) + "\r\n";
  valid_until_ = now + (second + std::chrono::seconds{1} - wall);
}

}  // namespace um::http
