#include "user/exact_number.hpp"

#include <charconv>

namespace um {

namespace {

constexpr std::size_t kMaxExponentDigits = 15;

// The digits at the front, which are taken off.
std::string_view take_digits(std::string_view& text) {
  const std::string_view digits = text.substr(0, text.find_first_not_of("0123456789"));
  text.remove_prefix(digits.size());
  return digits;
}

// What follows the 'e'.
std::optional<std::int64_t> read_exponent(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  const std::string_view digits = take_digits(text);
  if (digits.empty() || digits.size() > kMaxExponentDigits || !text.empty()) return std::nullopt;
  std::int64_t exponent = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), exponent);
  return negative ? -exponent : exponent;
}

}  // namespace

std::optional<ExactNumber> ExactNumber::read(std::string_view number) {
  const bool negative = number.starts_with('-');
  if (negative) number.remove_prefix(1);
  const std::string_view whole = take_digits(number);
  if (whole.empty()) return std::nullopt;
  std::string digits{whole};
  if (number.starts_with('.')) {
    number.remove_prefix(1);
    const std::string_view decimals = take_digits(number);
    if (decimals.empty()) return std::nullopt;
    digits += decimals;
  }
  std::int64_t shift = 0;
  if (!number.empty()) {
    if (number.front() != 'e' && number.front() != 'E') return std::nullopt;
    const auto exponent = read_exponent(number.substr(1));
    if (!exponent) return std::nullopt;
    shift = *exponent;
  }

  const std::size_t zeros = digits.find_first_not_of('0');
  if (zeros == std::string::npos) return ExactNumber{};
  digits.erase(digits.find_last_not_of('0') + 1);
  digits.erase(0, zeros);
  const auto point = static_cast<std::int64_t>(whole.size()) - static_cast<std::int64_t>(zeros);
  return ExactNumber{.negative = negative, .digits = std::move(digits), .point = point + shift};
}

}  // namespace um
