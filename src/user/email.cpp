#include "user/email.hpp"

#include <algorithm>

#include "base/utf8.hpp"

namespace um {

namespace {

// One `@` with something on both sides, and every character visible.
bool fits(std::string_view text) {
  if (text.size() > Email::kMaxBytes || std::ranges::count(text, '@') != 1) return false;
  if (text.front() == '@' || text.back() == '@') return false;
  while (!text.empty()) {
    const Utf8Step step = next_code_point(text);
    if (!step.code_point || is_control(*step.code_point) || is_white_space(*step.code_point))
      return false;
    text.remove_prefix(step.bytes);
  }
  return true;
}

}  // namespace

std::optional<Email> Email::parse(std::string_view text) {
  if (!fits(text)) return std::nullopt;
  return Email{std::string{text}, fold_ascii(text)};
}

}  // namespace um
