// Which lines the log has and in which form: settings, and what a logger is made with.
#pragma once

namespace um {

enum class LogFormat { text, json };
enum class LogLevel { debug, info, warn, error };

}  // namespace um
