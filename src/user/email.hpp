// Email: an address that fits the rules, with the form in which it is compared.
//
// One `@` with something on both sides, no white space or control characters, at most 254 bytes,
// valid UTF-8. Two addresses are compared by fold_ascii(), as lower(email collate "C") in SQL does.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/text.hpp"

namespace um {

class Email {
 public:
  static constexpr std::size_t kMaxBytes = 254;

  static std::optional<Email> parse(std::string_view text);

  const std::string& text() const { return text_; }      // as the user wrote it
  const std::string& folded() const { return folded_; }  // the key of look-ups
  bool operator==(const Email& other) const { return folded_ == other.folded_; }

 private:
  Email(std::string text, std::string folded)
      : text_{std::move(text)}, folded_{std::move(folded)} {}
  std::string text_;
  std::string folded_;
};

}  // namespace um
