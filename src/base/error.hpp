// Expected failures as values.
//
// A function that can fail for a reason its caller must handle returns Result<T>; exceptions are
// for start-up and for bugs. The list of codes is closed: every boundary (SQLite, HTTP, command
// line) maps each of them exactly once, in a switch without a default.
#pragma once

#include <chrono>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace um {

enum class ErrorCode {
  invalid,              // the request is malformed or breaks a rule; `fields` says where
  unauthenticated,      // no valid credentials
  invalid_credentials,  // e-mail or password wrong, or the user disabled: one code for all three
  forbidden,            // known, but not allowed
  not_found,
  email_taken,
  username_taken,
  conflict,  // a compare-and-set lost, or the state forbids it; the caller can read it again
  precondition_failed,  // If-Match named another revision
  last_admin,           // the last active administrator cannot be removed, demoted or disabled
  too_many_attempts,    // guessing limit; `retry_after` says when
  overloaded,           // a queue is full; `retry_after`
  unavailable,          // the database cannot be used now; `retry_after`
  timeout,              // the deadline passed; nothing is known to have been changed
  unknown_outcome,      // the connection was lost during a commit: it may have happened
  cancelled,            // the caller is gone and waits no more; nothing was changed
  internal,             // a bug; details are in the log only
};

// One rejected member of a request: `field` is its name, `message` a sentence for people.
struct FieldError {
  std::string field;
  std::string code;  // stable and short: "too_long", "unknown_field", …
  std::string message;
  bool operator==(const FieldError&) const = default;
};

struct Error {
  ErrorCode code = ErrorCode::internal;
  std::string detail{};                               // for people; never a secret
  std::vector<FieldError> fields{};                   // where it applies
  std::optional<std::chrono::seconds> retry_after{};  // overloaded, unavailable, too_many_attempts

  bool operator==(const Error&) const = default;
};

// The stable name of a code ("email_taken"), as logs and metrics write it.
std::string_view to_string(ErrorCode code);

template <class T>
using Result = std::expected<T, Error>;

// return fail(ErrorCode::not_found, "no such user");
inline std::unexpected<Error> fail(ErrorCode code, std::string detail = {}) {
  return std::unexpected(Error{.code = code, .detail = std::move(detail)});
}
inline std::unexpected<Error> fail(Error error) {
  return std::unexpected(std::move(error));
}

// The database cannot be used now; the client may try again in a second.
inline Error unavailable(std::string detail) {
  return {.code = ErrorCode::unavailable,
          .detail = std::move(detail),
          .retry_after = std::chrono::seconds{1}};
}

}  // namespace um
