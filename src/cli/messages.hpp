// Errors and values as one line for people.
#pragma once

#include <string>
#include <string_view>

#include "base/error.hpp"

namespace um {

// "email: is already taken; password: has fewer than 8 bytes". Safe to print.
std::string error_line(const Error& error);

// Text from outside, made safe to print.
std::string shown(std::string_view text);

// A mistake in how the command was used.
std::unexpected<Error> misuse(std::string line);

}  // namespace um
