// The rules for a new password. A check against a stored hash applies none of them: adopted
// passwords of any length keep working. Pure; thread safety: any.
#pragma once

#include <optional>
#include <string_view>

#include "base/error.hpp"
#include "base/secret.hpp"

namespace um {

constexpr std::size_t kMinPasswordBytes = 8;
constexpr std::size_t kMaxPasswordBytes = 72;  // bcrypt ignores the rest without an error

// The rule that `password` breaks, as an error of the field "password"; nullopt: it may be set.
// 8 to 72 bytes, no NUL ("too_short", "too_long", "invalid_character"), not one of the passwords
// that attackers try first ("common_password"), not the user's e-mail address ("same_as_email";
// empty: unknown). There are no rules about kinds of characters (NIST SP 800-63B section 5.1.1.2).
struct NewPassword {
  const Secret& password;
  std::string_view email{};
};
std::optional<FieldError> check_new_password(const NewPassword& candidate);

// Whether attackers try `password` first. Without case, and with the usual letters turned into
// digits ("P4$$w0rd"), it is
//  - a well-known word, twice, or with up to five digits or signs before or behind it
//    ("dragon2024!"),
//  - one piece of up to four characters repeated ("abcabcabc"),
//  - a run of the alphabet, the digits or the keyboard, in either direction ("qwertyuiop",
//    "87654321").
bool is_common_password(std::string_view password);

}  // namespace um
