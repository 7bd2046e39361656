#include "cli/messages.hpp"

#include "base/printable.hpp"
#include "config/units.hpp"

namespace um {
namespace {

std::string_view plain_words(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid:
      return "a value is not allowed";
    case ErrorCode::unauthenticated:
      return "not signed in";
    case ErrorCode::invalid_credentials:
      return "invalid email or password";
    case ErrorCode::forbidden:
      return "not allowed";
    case ErrorCode::not_found:
      return "not found";
    case ErrorCode::email_taken:
      return "another user has this e-mail address";
    case ErrorCode::username_taken:
      return "another user has this username";
    case ErrorCode::conflict:
      return "it was changed at the same time; try again";
    case ErrorCode::precondition_failed:
      return "it has changed since it was read";
    case ErrorCode::last_admin:
      return "the last active administrator cannot be removed, demoted or disabled";
    case ErrorCode::too_many_attempts:
      return "too many attempts";
    case ErrorCode::overloaded:
      return "too busy; try again";
    case ErrorCode::unavailable:
      return "the database cannot be used now";
    case ErrorCode::timeout:
      return "the database did not answer in time; nothing is known to have been changed";
    case ErrorCode::unknown_outcome:
      return "the connection was lost; it may or may not have been done";
    case ErrorCode::cancelled:
      return "given up";
    case ErrorCode::internal:
      return "an internal error";
  }
  return "an internal error";
}

}  // namespace

std::string shown(std::string_view text) {
  return printable(text, {.escapes = Escapes::display});
}

std::string error_line(const Error& error) {
  std::string fields;
  for (const FieldError& field : error.fields) {
    if (!fields.empty()) fields += "; ";
    fields += field.field + ": " + field.message;
  }
  if (!fields.empty()) return shown(fields);
  if (!error.detail.empty()) return shown(error.detail);
  return std::string{plain_words(error.code)};
}

std::unexpected<Error> misuse(std::string line) {
  return fail(ErrorCode::invalid, std::move(line));
}

Result<std::uint64_t> number_of(const NumberOption& option,
                                const std::optional<std::string>& text) {
  if (!text) return option.fallback;
  const auto number = parse_whole_number(*text);
  if (number && *number >= option.min && *number <= option.max) return *number;
  return misuse(std::string{option.name} + ": \"" + shown(*text) +
                "\" is not allowed; allowed: a whole number from " + std::to_string(option.min) +
                " to " + std::to_string(option.max));
}

}  // namespace um
