#include "auth/passwords/password_rules.hpp"

#include <fmt/format.h>

#include "auth/passwords/common_passwords.hpp"
#include "user/email.hpp"

namespace um {
namespace {

FieldError broken(std::string_view code, std::string_view message) {
  return {.field = "password", .code = std::string{code}, .message = std::string{message}};
}

}  // namespace

std::optional<FieldError> check_new_password(const NewPassword& candidate) {
  const std::string_view text = candidate.password.reveal();
  if (text.size() < kMinPasswordBytes) {
    return broken("too_short",
                  fmt::format("The password must have at least {} bytes.", kMinPasswordBytes));
  }
  if (text.size() > kMaxPasswordBytes) {
    return broken("too_long",
                  fmt::format("The password must have at most {} bytes.", kMaxPasswordBytes));
  }
  if (text.contains('\0')) {
    return broken("invalid_character", "The password must not contain NUL.");
  }
  if (!candidate.email.empty() && fold_ascii(text) == fold_ascii(candidate.email)) {
    return broken("same_as_email", "The password must not be the e-mail address.");
  }
  if (is_common_password(text)) {
    return broken("common_password", "This password is one of the first that are guessed.");
  }
  return std::nullopt;
}

}  // namespace um
