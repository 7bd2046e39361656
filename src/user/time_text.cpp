#include "user/time_text.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace um {

namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using std::chrono::sys_days;
using std::chrono::year_month_day;

constexpr std::chrono::year kFirstYear{0};
constexpr std::chrono::year kLastYear{9999};
constexpr WallTime kFirst{sys_days{kFirstYear / std::chrono::January / 1}};
constexpr WallTime kLast =
    WallTime{sys_days{kLastYear / std::chrono::December / 31} + days{1}} - microseconds{1};

// Takes fixed-width numbers and separators off the front; after a failure every further one fails
// too.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_{text} {}

  int number(std::size_t width) {
    int value = 0;
    for (std::size_t i = 0; i < width; ++i) {
      if (rest_.empty() || rest_.front() < '0' || rest_.front() > '9') return fail();
      value = value * 10 + (rest_.front() - '0');
      rest_.remove_prefix(1);
    }
    return value;
  }
  // The next character if it is one of `allowed`.
  char one_of(std::string_view allowed) {
    if (rest_.empty() || allowed.find(rest_.front()) == std::string_view::npos) {
      fail();
      return '\0';
    }
    const char c = rest_.front();
    rest_.remove_prefix(1);
    return c;
  }
  bool at_digit() const { return !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9'; }
  bool at(char c) const { return !rest_.empty() && rest_.front() == c; }
  bool failed() const { return failed_; }
  bool done() const { return !failed_ && rest_.empty(); }

 private:
  int fail() {
    failed_ = true;
    rest_ = {};
    return 0;
  }
  std::string_view rest_;
  bool failed_ = false;
};

std::optional<sys_days> scan_date(Scanner& scan) {
  const std::chrono::year year{scan.number(4)};
  scan.one_of("-");
  const std::chrono::month month{static_cast<unsigned>(scan.number(2))};
  scan.one_of("-");
  const std::chrono::day day{static_cast<unsigned>(scan.number(2))};
  const year_month_day date{year, month, day};
  if (scan.failed() || !date.ok()) return std::nullopt;
  return sys_days{date};
}

microseconds scan_fraction(Scanner& scan) {
  microseconds fraction{0};
  if (!scan.at('.')) return fraction;
  scan.one_of(".");
  int digits = 0;
  std::int64_t unit = 100'000;
  do {
    fraction += microseconds{scan.number(1) * unit};
    unit /= 10;
  } while (++digits < 9 && scan.at_digit());
  return fraction;
}

std::optional<microseconds> scan_time_of_day(Scanner& scan) {
  const int hour = scan.number(2);
  scan.one_of(":");
  const int minute = scan.number(2);
  scan.one_of(":");
  const int second = scan.number(2);
  const microseconds fraction = scan_fraction(scan);
  if (scan.failed() || hour > 23 || minute > 59 || second > 59) return std::nullopt;
  return hours{hour} + minutes{minute} + seconds{second} + fraction;
}

std::optional<minutes> scan_offset(Scanner& scan) {
  const char sign = scan.one_of("Zz+-");
  if (sign == 'Z' || sign == 'z') return minutes{0};
  const int hour = scan.number(2);
  scan.one_of(":");
  const int minute = scan.number(2);
  if (scan.failed() || hour > 23 || minute > 59) return std::nullopt;
  const minutes offset = hours{hour} + minutes{minute};
  return sign == '-' ? -offset : offset;
}

}  // namespace

std::string time_text(WallTime time) {
  const WallTime bounded = std::clamp(time, kFirst, kLast);
  const auto day = std::chrono::floor<days>(bounded);
  const year_month_day date{day};
  const std::chrono::hh_mm_ss clock{bounded - day};
  std::string text =
      fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", static_cast<int>(date.year()),
                  static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                  clock.hours().count(), clock.minutes().count(), clock.seconds().count());
  if (clock.subseconds().count() != 0) {
    text += fmt::format(".{:06}", clock.subseconds().count());
    text.erase(text.find_last_not_of('0') + 1);
  }
  return text += 'Z';
}

std::optional<WallTime> parse_time(std::string_view text) {
  Scanner scan{text};
  const auto date = scan_date(scan);
  if (!date) return std::nullopt;
  scan.one_of("Tt");
  const auto time_of_day = scan_time_of_day(scan);
  if (!time_of_day) return std::nullopt;
  const auto offset = scan_offset(scan);
  if (!offset || !scan.done()) return std::nullopt;
  const WallTime time = *date + *time_of_day - *offset;
  if (time < kFirst || time > kLast) return std::nullopt;
  return time;
}

}  // namespace um
