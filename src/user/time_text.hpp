// Times as text: RFC 3339 in UTC, "2026-11-22T01:35:29.123456Z". Pure; thread safety: any.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"

namespace um {

// The shortest exact form: no fraction for whole seconds, else as many of its six digits as needed.
// Times outside the years 0000 to 9999, which RFC 3339 cannot write, become the nearest inside.
std::string time_text(WallTime time);

// RFC 3339 date-time with any offset; `T` and `Z` in either case. Up to nine digits of a fraction
// are read, those after the sixth are cut off. Refused: leap seconds, dates that do not exist,
// results outside the years 0000 to 9999, everything else.
std::optional<WallTime> parse_time(std::string_view text);

}  // namespace um
