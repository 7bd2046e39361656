// Parsing of request bodies: JSON (RFC 8259), stricter than the library that reads it.
//
// Refused as malformed_json (400): anything but one JSON text, nesting deeper than kMaxJsonDepth,
// the same name twice in one object, invalid UTF-8, a lone surrogate. Refused as validation_failed
// (422), naming the member: U+0000 in a string or name (PostgreSQL cannot store it), an integer
// that needs more than 64 bits, a number beyond the range of a double.
#pragma once

#include <cstddef>
#include <expected>
#include <string_view>

#include "api/json_value.hpp"
#include "api/problem.hpp"

namespace um::api {

inline constexpr std::size_t kMaxJsonDepth = 32;
// Nothing that fits the limits of its members has so many (16 KiB of `1,` are 8,192), and building
// them must not keep an event loop for milliseconds.
inline constexpr std::size_t kMaxJsonValues = 10'000;

std::expected<JsonValue, Problem> parse_json(std::string_view text);

}  // namespace um::api
