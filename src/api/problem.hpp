// Problem: an error answer, as application/problem+json (RFC 9457). (A request that the HTTP
// server refuses by itself has an http::Refusal; its answer is a problem, too.)
//
// Every problem has one line in the table of problem.cpp: its stable code, status, title and the
// text that clients of the earlier Go program read in the member `error`. Failures of the use cases
// (um::Error) become problems in to_problem() and nowhere else.
// Values only. Thread safety: any.
#pragma once

#include <chrono>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "drivers/http/handler.hpp"

namespace um::api {

enum class ProblemCode {
  malformed_request,
  malformed_json,
  token_missing,
  token_invalid,
  invalid_credentials,
  forbidden,
  user_not_found,
  session_not_found,
  path_not_found,
  method_not_allowed,
  request_timeout,
  email_taken,
  username_taken,
  last_admin,
  conflict,
  precondition_failed,
  content_too_large,
  uri_too_long,
  unsupported_media_type,
  expectation_failed,
  validation_failed,
  too_many_attempts,
  header_too_large,
  internal,
  not_implemented,
  overloaded,
  unavailable,
  timeout,
  unknown_outcome,
  cancelled,
  not_ready,
  version_not_supported,
};

struct ProblemKind {
  ProblemCode code;
  unsigned status;
  std::string_view name;   // the stable code: "user_not_found"
  std::string_view title;  // the same for every occurrence
  std::string_view error;  // the text of the Go program; empty: the detail
};
const ProblemKind& kind_of(ProblemCode code);
std::span<const ProblemKind> all_problem_kinds();

struct Problem {
  ProblemCode code = ProblemCode::internal;
  std::string detail{};  // for people; empty: the title is enough
  std::vector<FieldError> fields{};
  std::optional<std::chrono::seconds> retry_after{};
  std::string headers{};     // further complete header lines: Allow, Cache-Status
  std::string log_detail{};  // for the log only
};

// The result of a handler: it has written its answer, or this problem is the answer.
using Answer = std::expected<void, Problem>;

inline std::unexpected<Problem> refuse(ProblemCode code, std::string detail = {}) {
  return std::unexpected(Problem{.code = code, .detail = std::move(detail)});
}
inline std::unexpected<Problem> refuse(Problem problem) {
  return std::unexpected(std::move(problem));
}
// One rejected member or parameter.
Problem invalid_field(FieldError error);
Problem invalid_fields(std::vector<FieldError> errors);

// `not_found`: the code for ErrorCode::not_found, because a handler may look for something other
// than a user.
Problem to_problem(Error error, ProblemCode not_found = ProblemCode::user_not_found);
Problem to_problem(const http::Refusal& refusal);

// Sets status and body and adds the headers of the problem, with WWW-Authenticate and Retry-After
// where they belong. REQUIRES: `response` has no body yet.
void write_problem(const Problem& problem, http::Response& response);

}  // namespace um::api
