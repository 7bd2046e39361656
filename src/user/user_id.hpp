// UserId: a positive 64-bit number. There is no invalid UserId: every way to make one checks.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace um {

class UserId {
 public:
  // nullopt unless value > 0.
  static constexpr std::optional<UserId> from(std::int64_t value) {
    if (value <= 0) return std::nullopt;
    return UserId{value};
  }
  // Decimal digits only, no sign, no leading zero: "42". Anything else is nullopt.
  static constexpr std::optional<UserId> parse(std::string_view text) {
    if (text.empty() || text.size() > 19 || text.front() < '1') return std::nullopt;
    std::int64_t value = 0;
    for (const char c : text) {
      if (c < '0' || c > '9') return std::nullopt;
      if (__builtin_mul_overflow(value, 10, &value) ||
          __builtin_add_overflow(value, c - '0', &value))
        return std::nullopt;
    }
    return UserId{value};
  }

  constexpr std::int64_t value() const { return value_; }
  std::string text() const { return std::to_string(value_); }
  constexpr auto operator<=>(const UserId&) const = default;

 private:
  constexpr explicit UserId(std::int64_t value) : value_{value} {}
  std::int64_t value_;
};

}  // namespace um

template <>
struct std::hash<um::UserId> {
  std::size_t operator()(um::UserId id) const noexcept {
    return std::hash<std::int64_t>{}(id.value());
  }
};
