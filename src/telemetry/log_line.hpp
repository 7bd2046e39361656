// The form of one line of the log. Pure; any thread.
//
//   text   2026-11-22T01:42:39.123456Z info  listening address=127.0.0.1:8080 note="two words"
//   json   {"time":"2026-…Z","level":"info","message":"listening","address":"127.0.0.1:8080"}
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "telemetry/log.hpp"

namespace um {

struct LogLine {
  WallTime time{};
  LogLevel level = LogLevel::info;
  std::string_view message;
  std::span<const LogField> fields{};
};

// Without a line end. At most 4 KiB of the message and of each value are taken.
std::string format_log_line(const LogLine& line, LogFormat format);

std::string_view to_string(LogLevel level);

}  // namespace um
