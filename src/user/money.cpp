#include "user/money.hpp"

namespace um {

namespace {

constexpr std::int64_t kMicrosPerDollar = 1'000'000;
constexpr std::size_t kMaxWholeDigits = 10;

// Takes the digits at the front off `text`.
std::string_view take_leading_digits(std::string_view& text) {
  std::size_t n = 0;
  while (n < text.size() && text[n] >= '0' && text[n] <= '9') ++n;
  const std::string_view digits = text.substr(0, n);
  text.remove_prefix(n);
  return digits;
}

std::int64_t number_of(std::string_view digits) {
  std::int64_t value = 0;
  for (const char c : digits) value = value * 10 + (c - '0');
  return value;
}

}  // namespace

std::optional<Usd> Usd::parse(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);

  const std::string_view whole = take_leading_digits(text);
  if (whole.empty() || whole.size() > kMaxWholeDigits || (whole.size() > 1 && whole.front() == '0'))
    return std::nullopt;
  std::string decimals;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    decimals = take_leading_digits(text);
    if (decimals.empty() || decimals.size() > kDecimals) return std::nullopt;
  }
  if (!text.empty()) return std::nullopt;

  decimals.resize(kDecimals, '0');
  const std::int64_t micros = number_of(whole) * kMicrosPerDollar + number_of(decimals);
  return from_micros(negative ? -micros : micros);
}

std::string Usd::text() const {
  const std::int64_t size = micros_ < 0 ? -micros_ : micros_;
  std::string text = micros_ < 0 ? "-" : "";
  text += std::to_string(size / kMicrosPerDollar);
  if (const std::int64_t rest = size % kMicrosPerDollar; rest != 0) {
    std::string decimals = std::to_string(rest);
    decimals.insert(0, kDecimals - decimals.size(), '0');
    decimals.erase(decimals.find_last_not_of('0') + 1);
    text += '.' + decimals;
  }
  return text;
}

}  // namespace um
