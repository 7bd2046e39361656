#include "base/exact_number.hpp"

#include <charconv>

namespace um {

namespace {

constexpr std::size_t kMaxExponentDigits = 15;

// Takes the digits at the front off `text`.
std::string_view take_digits(std::string_view& text) {
  const std::string_view digits = text.substr(0, text.find_first_not_of("0123456789"));
  text.remove_prefix(digits.size());
  return digits;
}

// Reads the text after the 'e'.
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

std::optional<std::string> plain_decimal(std::string_view number) {
  constexpr std::size_t kMaxDigits = 40;
  constexpr std::int64_t kMaxPlaces = 20;

  if (number.find_first_of("eE") == std::string_view::npos) return std::nullopt;
  const auto exact = ExactNumber::read(number);
  if (!exact) return std::nullopt;
  if (exact->digits.empty()) return "0";
  const std::int64_t point = exact->point;
  std::string digits = exact->digits;
  if (digits.size() > kMaxDigits || point > kMaxPlaces || point < -kMaxPlaces) return std::nullopt;

  if (point <= 0) {
    digits.insert(0, "0." + std::string(static_cast<std::size_t>(-point), '0'));
  } else if (static_cast<std::size_t>(point) >= digits.size()) {
    digits.resize(static_cast<std::size_t>(point), '0');
  } else {
    digits.insert(static_cast<std::size_t>(point), ".");
  }
  return exact->negative ? '-' + digits : digits;
}

}  // namespace um
