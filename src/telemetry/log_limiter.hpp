// LogLimiter: a Logger that passes lines on to another one, but of lines of the same kind only the
// first few of each second. The number of lines left out follows in a line of its own. So a
// database that is away for a minute causes some hundred lines and not one for each request.
//
// Lines with the same message, `route` and `status` are of the same kind. Only warnings and errors
// are limited, and none where debug lines are enabled. Memory is bounded: all kinds beyond the
// limit count as one. Thread safety: any thread.
#pragma once

#include <map>
#include <mutex>
#include <string>

#include "base/clock.hpp"
#include "telemetry/log.hpp"

namespace um {

class LogLimiter final : public Logger {
 public:
  struct Limits {
    unsigned lines = 5;  // of a kind in one second
    std::size_t kinds = 200;
  };
  // Both outlive it.
  LogLimiter(Logger& inner, const Clock& clock, Limits limits)
      : inner_{inner}, clock_{clock}, limits_{limits} {}
  LogLimiter(Logger& inner, const Clock& clock) : LogLimiter{inner, clock, Limits{}} {}
  ~LogLimiter() override;
  LogLimiter(const LogLimiter&) = delete;
  LogLimiter& operator=(const LogLimiter&) = delete;

  bool enabled(LogLevel level) const override { return inner_.enabled(level); }
  void write(LogLevel level, std::string_view message, std::span<const LogField> fields) override;
  std::uint64_t dropped() const override { return inner_.dropped(); }

  // Writes the numbers of lines left out in seconds that are over. To be called about once a
  // second, for the case that no more lines come.
  void tell_left_out();

 private:
  // Owns its texts, unlike the fields it is made of.
  struct Kind {
    std::string message;
    std::string route;
    std::uint64_t status = 0;
    auto operator<=>(const Kind&) const = default;
  };
  struct Second {
    BootTime begun;
    unsigned written = 0;
    std::uint64_t left_out = 0;
    LogLevel level = LogLevel::warn;
  };
  using Seconds = std::map<Kind, Second>;
  static Kind kind_of(std::string_view message, std::span<const LogField> fields);
  Seconds::iterator place_of(Kind kind, BootTime now);
  Seconds take_those_over(BootTime now);
  void tell(const Kind& kind, const Second& second);

  Logger& inner_;
  const Clock& clock_;
  const Limits limits_;
  std::mutex mutex_;
  Seconds seconds_;  // guarded by mutex_
};

}  // namespace um
