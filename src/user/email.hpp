// Email: an address that fits the rules, with the form under which it is compared.
//
// One `@` with something on both sides, no white space or control characters, at most 254 bytes,
// valid UTF-8. Compared without case, folded in ASCII only: lower(email collate "C") in SQL gives
// the same.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace um {

class Email {
 public:
  static constexpr std::size_t kMaxBytes = 254;

  static std::optional<Email> parse(std::string_view text);

  const std::string& text() const { return text_; }      // as written by its owner
  const std::string& folded() const { return folded_; }  // A-Z lowered: the key of look-ups
  bool operator==(const Email& other) const { return folded_ == other.folded_; }

 private:
  Email(std::string text, std::string folded)
      : text_{std::move(text)}, folded_{std::move(folded)} {}
  std::string text_;
  std::string folded_;
};

// A-Z to a-z; every other byte stays.
std::string fold_ascii(std::string_view text);

}  // namespace um
