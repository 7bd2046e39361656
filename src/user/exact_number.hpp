// ExactNumber: a JSON number (RFC 8259, section 6) by its value, read from the text alone: no digit
// passes through binary floating point. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace um {

// The value is 0.DIGITS times ten to the power of `point`. No zeros stand at either end of the
// digits; zero has none, no sign and point 0. So numbers are equal if and only if their values are.
struct ExactNumber {
  bool negative = false;
  std::string digits{};
  std::int64_t point = 0;

  // nullopt for what is no number, and for an exponent of more than 15 digits.
  static std::optional<ExactNumber> read(std::string_view number);
  bool operator==(const ExactNumber&) const = default;
};

}  // namespace um
