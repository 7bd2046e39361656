// The logger of the program: lines go through a bounded queue to a thread that writes them.
//
// When the output is slower than the lines come (a full pipe, a slow disk), the oldest waiting
// lines are dropped and counted, and nobody waits: an event loop must never stand still for its
// log. The newest lines are kept, since they tell what is happening now.
#pragma once

#include <cstdio>
#include <memory>

#include "base/clock.hpp"
#include "telemetry/log.hpp"
#include "telemetry/log_options.hpp"

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

}  // namespace um
