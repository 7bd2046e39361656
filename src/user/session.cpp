#include "user/session.hpp"

#include <algorithm>

#include "base/random.hpp"

namespace um {

SessionId::SessionId(std::string_view text) {
  std::ranges::copy(text, text_.begin());
}

SessionId SessionId::random() {
  return SessionId{random_hex(kTextLength / 2)};
}

std::optional<SessionId> SessionId::parse(std::string_view text) {
  const auto is_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  if (text.size() != kTextLength || !std::ranges::all_of(text, is_hex)) return std::nullopt;
  return SessionId{text};
}

}  // namespace um
