// SessionId: 128 random bits that name one session (the `sid` of its tokens).
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace um {

class SessionId {
 public:
  static constexpr std::size_t kTextLength = 32;

  static SessionId random();
  // 32 lower-case hex digits, else nullopt.
  static std::optional<SessionId> parse(std::string_view text);

  std::string_view text() const { return {text_.data(), text_.size()}; }
  auto operator<=>(const SessionId&) const = default;

 private:
  explicit SessionId(std::string_view text);
  std::array<char, kTextLength> text_{};
};

}  // namespace um
