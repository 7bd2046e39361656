// The logger of the program: lines go through a bounded queue to a thread that writes them.
//
// When the output is slower than the lines come (a full pipe, a slow disk), the oldest waiting
// lines are dropped and counted. No caller waits: an event loop must never stand still for its log.
// The newest lines are kept, since they describe the present.
//
//   text   2026-11-22T01:42:39.123456Z info  listening address=127.0.0.1:8080 note="two words"
//   json   {"time":"2026-…Z","level":"info","message":"listening","address":"127.0.0.1:8080"}
#pragma once

#include <cstdio>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/log_options.hpp"
#include "telemetry/log.hpp"

namespace um {

struct LoggingOptions {
  LogFormat format = LogFormat::text;
  LogLevel level = LogLevel::info;
  std::size_t queue_lines = 8192;
  std::FILE* output = stderr;  // outlives the logger; not closed
};

// `clock` outlives the logger. Its destructor writes what is waiting. Throws if no thread can be
// made.
std::unique_ptr<Logger> make_logger(LoggingOptions options, const Clock& clock);

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
