// Usd: an exact amount with six decimal places, held as a whole number of micro-dollars.
// Binary floating point never touches an amount on its way between a request and the database.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace um {

class Usd {
 public:
  // Bound of one amount and of every sum: ±9,000,000,000 dollars (fits 64 bits with a thousandfold
  // margin).
  static constexpr std::int64_t kMaxMicros = 9'000'000'000'000'000;
  static constexpr std::size_t kDecimals = 6;

  constexpr Usd() = default;
  static constexpr std::optional<Usd> from_micros(std::int64_t micros) {
    if (micros > kMaxMicros || micros < -kMaxMicros) return std::nullopt;
    return Usd{micros};
  }
  static constexpr Usd max() { return Usd{kMaxMicros}; }
  // A decimal or JSON number with at most six decimals ("0.0123", "12", "-1"; "1.5e2" is refused).
  static std::optional<Usd> parse(std::string_view text);

  constexpr std::int64_t micros() const { return micros_; }
  constexpr bool negative() const { return micros_ < 0; }
  // The shortest exact decimal: "0.0123", "12", "-0.5".
  std::string text() const;
  // nullopt if the sum leaves the bound.
  std::optional<Usd> plus(Usd other) const { return from_micros(micros_ + other.micros_); }
  constexpr auto operator<=>(const Usd&) const = default;

 private:
  constexpr explicit Usd(std::int64_t micros) : micros_{micros} {}
  std::int64_t micros_ = 0;
};

}  // namespace um
