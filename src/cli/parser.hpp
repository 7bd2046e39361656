// Parsing of arguments into a command and its options.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "cli/command.hpp"

namespace um {

// The command that was named, with its options filled in.
struct Invocation {
  Command* command = nullptr;
  std::map<std::string, std::string> setting_flags{};  // "cache-ttl" -> "5min"
  std::optional<std::string> config_file{};
  bool json = false;
};
struct HelpText {
  std::string text;
};
struct UsageError {
  std::string line;  // one line, safe to print
};
using Parsed = std::variant<Invocation, HelpText, UsageError>;

// `commands` outlive the result.
Parsed parse_arguments(std::span<const char* const> arguments,
                       const std::vector<CommandGroup>& commands);

}  // namespace um
