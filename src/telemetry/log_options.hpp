// What is logged and in which form; settings, so apart from the logger itself.
#pragma once

namespace um {

enum class LogFormat { text, json };
enum class LogLevel { debug, info, warn, error };

}  // namespace um
