// The rules for every member of a user, each in one function, which returns the value or the
// error.
// Pure; thread safety: any. How long a password must be is a rule of auth
// (auth/passwords/password_rules.hpp).
#pragma once

#include <cstddef>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "user/email.hpp"
#include "user/money.hpp"
#include "user/user.hpp"

namespace um {

inline constexpr std::size_t kMaxNameCharacters = 200;  // code points
inline constexpr std::size_t kMinUsernameBytes = 3;
inline constexpr std::size_t kMaxUsernameBytes = 64;
inline constexpr std::size_t kMaxSettingsBytes = 16 * 1024;
// Settings stand inside an object of a request or an import line, which may nest kMaxJsonDepth
// deep.
inline constexpr std::size_t kMaxSettingsDepth = 31;

// A value that fits the rules, or the error with the name of the member in it.
template <class T>
using Validated = std::expected<T, FieldError>;

Validated<Email> check_email(std::string_view text);
Validated<std::string> check_username(std::string_view text);
Validated<std::string> check_first_name(std::string_view text);
Validated<std::string> check_last_name(std::string_view text);
Validated<Role> check_role(std::string_view text);
Validated<Usd> check_quota_usd(std::string_view text);  // a decimal, 0 or more
Validated<Usd> check_used_usd(std::string_view text);
// The object's text without white space.
Validated<std::string> check_model_capability_settings(std::string_view text);

// Collects everything that is wrong, not only the first thing.
class FieldErrors {
 public:
  void add(FieldError error) { errors_.push_back(std::move(error)); }
  template <class T>
  std::optional<T> take(Validated<T> checked) {
    if (checked) return std::move(*checked);
    add(std::move(checked.error()));
    return std::nullopt;
  }
  bool empty() const { return errors_.empty(); }
  const std::vector<FieldError>& list() const { return errors_; }
  // ErrorCode::invalid with everything collected.
  Error error(std::string detail) && {
    return {.code = ErrorCode::invalid, .detail = std::move(detail), .fields = std::move(errors_)};
  }

 private:
  std::vector<FieldError> errors_;
};

}  // namespace um
