// ExactNumber: a JSON number (RFC 8259, section 6) by its value, read from the text alone: no digit
// passes through binary floating point. Pure; thread safety: any.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace um {

// The value is 0.DIGITS times ten to the power of `point`. There are no zeros at either end of the
// digits; zero has no digits, no sign and point 0. So two ExactNumbers are equal if and only if
// their values are.
struct ExactNumber {
  bool negative = false;
  std::string digits{};
  std::int64_t point = 0;

  // nullopt for a text that is no number, and for an exponent of more than 15 digits.
  static std::optional<ExactNumber> read(std::string_view number);
  bool operator==(const ExactNumber&) const = default;
};

// A JSON number with an exponent as a plain decimal of the same value: "1e-05" gives "0.00001",
// "1.50E+2" gives "150". nullopt for a number without an exponent, for a text that is no number,
// and for a value that is far from any amount of money (more than 40 digits, or beyond 10^20 or
// 10^-20).
std::optional<std::string> plain_decimal(std::string_view number);

}  // namespace um
