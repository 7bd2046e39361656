// Quantities as people write them: "500ms", "5min", "256MiB". Pure; any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace um {

// A whole number with one of ms, s, min, h, d ("90d"); white space between them is allowed ("5
// min"). nullopt for anything else, also a number without a unit.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);
// In the largest unit that is exact: 90'000 ms -> "90s", 300 s -> "5min".
std::string format_duration(std::chrono::milliseconds value);

// A whole number with one of B, KiB, MiB, GiB, TiB (powers of 1024) or kB, MB, GB, TB (of 1000).
std::optional<std::uint64_t> parse_bytes(std::string_view text);
std::string format_bytes(std::uint64_t value);

// Decimal digits only: no sign, no white space, no separator.
std::optional<std::uint64_t> parse_whole_number(std::string_view text);

}  // namespace um
