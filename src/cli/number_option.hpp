// Numbers and durations given to a command itself (settings have their own table).
#pragma once

#include <optional>
#include <string>

#include "cli/messages.hpp"
#include "config/units.hpp"

namespace um {

struct NumberOption {
  std::string_view name;  // "--limit"
  std::uint64_t fallback;
  std::uint64_t min;
  std::uint64_t max;
};

inline Result<std::uint64_t> number_of(const NumberOption& option,
                                       const std::optional<std::string>& text) {
  if (!text) return option.fallback;
  const auto number = parse_whole_number(*text);
  if (number && *number >= option.min && *number <= option.max) return *number;
  return misuse(std::string{option.name} + ": \"" + shown(*text) +
                "\" is not allowed; allowed: a whole number from " + std::to_string(option.min) +
                " to " + std::to_string(option.max));
}

}  // namespace um
