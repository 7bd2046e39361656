// The format and the lowest level of the lines of the log.
#pragma once

namespace um {

enum class LogFormat { text, json };
enum class LogLevel { debug, info, warn, error };

}  // namespace um
