// Errors, values and arguments as one line for people.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace um {

// "email: is already taken; password: has fewer than 8 bytes". Safe to print.
std::string error_line(const Error& error);

// Text from outside, made safe to print.
std::string shown(std::string_view text);

// A mistake in how the command was used: exit code 2.
std::unexpected<Error> misuse(std::string line);

// A number given to a command itself (settings have their own table).
struct NumberOption {
  std::string_view name;  // "--limit"
  std::uint64_t fallback;
  std::uint64_t min;
  std::uint64_t max;
};
Result<std::uint64_t> number_of(const NumberOption& option, const std::optional<std::string>& text);

}  // namespace um
