#include "config/units.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <span>

namespace um {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t size;
  std::uint64_t from = 1;  // the least value that is written in this unit: 24h, not 1d
};
constexpr std::array<Unit, 5> kDurations{
    {{"d", 86'400'000, 2}, {"h", 3'600'000}, {"min", 60'000}, {"s", 1'000}, {"ms", 1}}};
// The first five are used for writing, the largest first.
constexpr std::array<Unit, 9> kBytes{{{"TiB", 1ULL << 40U},
                                      {"GiB", 1ULL << 30U},
                                      {"MiB", 1ULL << 20U},
                                      {"KiB", 1ULL << 10U},
                                      {"B", 1},
                                      {"TB", 1'000'000'000'000},
                                      {"GB", 1'000'000'000},
                                      {"MB", 1'000'000},
                                      {"kB", 1'000}}};

std::optional<std::uint64_t> parse_quantity(std::string_view text, std::span<const Unit> units) {
  const auto digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const auto number = parse_whole_number(text.substr(0, digits));
  if (!number) return std::nullopt;
  std::string_view name = text.substr(digits);
  if (name.starts_with(' ')) name.remove_prefix(1);
  for (const Unit& unit : units) {
    if (unit.name != name) continue;
    std::uint64_t value = 0;
    if (__builtin_mul_overflow(*number, unit.size, &value)) return std::nullopt;
    return value;
  }
  return std::nullopt;
}

std::string format_quantity(std::uint64_t value, std::span<const Unit> units) {
  for (const Unit& unit : units) {
    if (value >= unit.size * unit.from && value % unit.size == 0) {
      return std::to_string(value / unit.size) + std::string{unit.name};
    }
  }
  return "0";
}

}  // namespace

std::optional<std::uint64_t> parse_whole_number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  const auto value = parse_quantity(text, kDurations);
  if (!value || *value > static_cast<std::uint64_t>(INT64_MAX)) return std::nullopt;
  return std::chrono::milliseconds{static_cast<std::int64_t>(*value)};
}

std::string format_duration(std::chrono::milliseconds value) {
  if (value.count() == 0) return "0s";
  return format_quantity(static_cast<std::uint64_t>(value.count()), kDurations);
}

std::optional<std::uint64_t> parse_bytes(std::string_view text) {
  return parse_quantity(text, kBytes);
}

std::string format_bytes(std::uint64_t value) {
  if (value == 0) return "0B";
  return format_quantity(value, std::span{kBytes}.first(5));
}

}  // namespace um
