#include "telemetry/log_limiter.hpp"

#include <array>

namespace um {
namespace {

constexpr std::chrono::seconds kSecond{1};

}  // namespace

LogLimiter::~LogLimiter() {
  for (const auto& [kind, second] : seconds_) tell(kind, second);
}

LogLimiter::Kind LogLimiter::kind_of(std::string_view message, std::span<const LogField> fields) {
  Kind kind{.message = std::string{message}, .route = {}};
  for (const LogField& field : fields) {
    if (field.key == "route") {
      if (const auto* text = std::get_if<std::string_view>(&field.value)) kind.route = *text;
    } else if (field.key == "status") {
      if (const auto* number = std::get_if<std::uint64_t>(&field.value)) kind.status = *number;
    }
  }
  return kind;
}

LogLimiter::Seconds::iterator LogLimiter::place_of(Kind kind, BootTime now) {
  const auto known = seconds_.find(kind);
  if (known != seconds_.end()) return known;
  if (seconds_.size() >= limits_.kinds) kind = {.message = "lines of many kinds", .route = {}};
  return seconds_.try_emplace(std::move(kind), Second{.begun = now}).first;
}

void LogLimiter::write(LogLevel level, std::string_view message, std::span<const LogField> fields) {
  if (level < LogLevel::warn || inner_.enabled(LogLevel::debug))
    return inner_.write(level, message, fields);
  const BootTime now = clock_.now();
  Seconds over;
  {
    const std::scoped_lock lock{mutex_};
    const auto place = place_of(kind_of(message, fields), now);
    Second& second = place->second;
    if (now >= second.begun + kSecond) {
      if (second.left_out > 0) over.insert(*place);
      second = {.begun = now};
    }
    second.level = level;
    if (second.written >= limits_.lines) {
      ++second.left_out;
      return;
    }
    ++second.written;
  }
  for (const auto& [kind, second] : over) tell(kind, second);
  inner_.write(level, message, fields);
}

LogLimiter::Seconds LogLimiter::take_those_over(BootTime now) {
  Seconds over;
  const std::scoped_lock lock{mutex_};
  for (auto place = seconds_.begin(); place != seconds_.end();) {
    const auto next = std::next(place);
    if (now >= place->second.begun + kSecond) over.insert(seconds_.extract(place));
    place = next;
  }
  return over;
}

void LogLimiter::tell_left_out() {
  for (const auto& [kind, second] : take_those_over(clock_.now())) tell(kind, second);
}

void LogLimiter::tell(const Kind& kind, const Second& second) {
  if (second.left_out == 0) return;
  const std::array fields{LogField{"like", kind.message}, LogField{"route", kind.route},
                          LogField{"status", kind.status}, LogField{"count", second.left_out}};
  inner_.write(second.level, "more lines like the last ones were left out", fields);
}

}  // namespace um
