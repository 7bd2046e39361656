#include "api/problem.hpp"

#include <array>

#include "base/json_writer.hpp"

namespace um::api {
namespace {

using enum ProblemCode;

// In the order of ProblemCode.
constexpr std::array kKinds{
    ProblemKind{malformed_request, 400, "malformed_request", "The request is malformed", ""},
    ProblemKind{malformed_json, 400, "malformed_json", "The body is not valid JSON", ""},
    ProblemKind{token_missing, 401, "token_missing", "A token is needed", "token not found"},
    ProblemKind{token_invalid, 401, "token_invalid",
                "The token is not valid or its session is over", "invalid token"},
    ProblemKind{invalid_credentials, 401, "invalid_credentials", "Invalid email or password",
                "invalid email or password"},
    ProblemKind{forbidden, 403, "forbidden", "Not allowed", "not authorized"},
    ProblemKind{user_not_found, 404, "user_not_found", "There is no such user", "User not found"},
    ProblemKind{session_not_found, 404, "session_not_found", "There is no such session",
                "session not found"},
    ProblemKind{path_not_found, 404, "path_not_found", "There is nothing under this path",
                "404 page not found"},
    ProblemKind{method_not_allowed, 405, "method_not_allowed", "This path has no such method",
                "405 method not allowed"},
    ProblemKind{request_timeout, 408, "request_timeout", "The request took too long to arrive", ""},
    ProblemKind{email_taken, 409, "email_taken", "Another user has this e-mail address",
                "email already taken"},
    ProblemKind{username_taken, 409, "username_taken", "Another user has this username",
                "username already taken"},
    ProblemKind{last_admin, 409, "last_admin",
                "The last active administrator cannot be removed, demoted or disabled", ""},
    ProblemKind{conflict, 409, "conflict", "The state of the user does not allow this now", ""},
    ProblemKind{precondition_failed, 412, "precondition_failed",
                "The user has changed since it was read", ""},
    ProblemKind{content_too_large, 413, "content_too_large", "The body is too large", ""},
    ProblemKind{uri_too_long, 414, "uri_too_long", "The request line is too long", ""},
    ProblemKind{unsupported_media_type, 415, "unsupported_media_type",
                "The body must be application/json in UTF-8", ""},
    ProblemKind{expectation_failed, 417, "expectation_failed", "This expectation cannot be met",
                ""},
    ProblemKind{validation_failed, 422, "validation_failed",
                "Something in the request is not valid", ""},
    ProblemKind{too_many_attempts, 429, "too_many_attempts", "Too many attempts", ""},
    ProblemKind{header_too_large, 431, "header_too_large", "The header is too large", ""},
    ProblemKind{internal, 500, "internal", "Something went wrong on our side", ""},
    ProblemKind{not_implemented, 501, "not_implemented", "Not implemented", ""},
    ProblemKind{overloaded, 503, "overloaded", "Too much to do at the moment", ""},
    ProblemKind{unavailable, 503, "unavailable", "The database cannot be used at the moment", ""},
    ProblemKind{timeout, 503, "timeout",
                "There was no answer in time; nothing is known to be changed", ""},
    ProblemKind{unknown_outcome, 503, "unknown_outcome",
                "The change may or may not have been made: look before trying again", ""},
    // Sent nevertheless: a client that only ended its sending looks like one that disconnected.
    ProblemKind{cancelled, 503, "cancelled",
                "The client seemed to have gone while the request waited; nothing was changed", ""},
    ProblemKind{not_ready, 503, "not_ready", "Not ready to serve", ""},
    ProblemKind{version_not_supported, 505, "version_not_supported",
                "This version of HTTP is not supported", ""},
};

constexpr bool in_order() {
  for (std::size_t i = 0; i < kKinds.size(); ++i) {
    if (static_cast<std::size_t>(kKinds[i].code) != i) return false;
  }
  return true;
}
static_assert(in_order());

// The detail of an internal failure is for the log only.
bool hides_detail(ProblemCode code) {
  return code == internal || code == unavailable || code == timeout || code == cancelled;
}

void write_fields(JsonWriter& json, const std::vector<FieldError>& fields) {
  json.key("errors").open_array();
  for (const FieldError& field : fields) {
    json.open_object()
        .member("field", field.field)
        .member("code", field.code)
        .member("detail", field.message)
        .close();
  }
  json.close();
}

}  // namespace

const ProblemKind& kind_of(ProblemCode code) {
  return kKinds.at(static_cast<std::size_t>(code));
}
std::span<const ProblemKind> all_problem_kinds() {
  return kKinds;
}

// For clients that read only `error`: the first error, and the number of others.
static std::string summary(const std::vector<FieldError>& errors) {
  std::string text;
  if (errors.empty()) return text;
  const FieldError& first = errors.front();
  if (!first.field.empty()) text.append(first.field).append(": ");
  text += first.message;
  if (errors.size() > 1) text += " (and " + std::to_string(errors.size() - 1) + " more)";
  return text;
}

Problem invalid_fields(std::vector<FieldError> errors) {
  Problem problem{.code = validation_failed, .detail = summary(errors)};
  problem.fields = std::move(errors);
  return problem;
}

Problem invalid_field(FieldError error) {
  std::vector<FieldError> errors;
  errors.push_back(std::move(error));
  return invalid_fields(std::move(errors));
}

namespace {

ProblemCode code_of(ErrorCode code, ProblemCode not_found) {
  switch (code) {
    case ErrorCode::invalid:
      return validation_failed;
    case ErrorCode::unauthenticated:
      return token_invalid;
    case ErrorCode::invalid_credentials:
      return invalid_credentials;
    case ErrorCode::forbidden:
      return forbidden;
    case ErrorCode::not_found:
      return not_found;
    case ErrorCode::email_taken:
      return email_taken;
    case ErrorCode::username_taken:
      return username_taken;
    case ErrorCode::conflict:
      return conflict;
    case ErrorCode::precondition_failed:
      return precondition_failed;
    case ErrorCode::last_admin:
      return last_admin;
    case ErrorCode::too_many_attempts:
      return too_many_attempts;
    case ErrorCode::overloaded:
      return overloaded;
    case ErrorCode::unavailable:
      return unavailable;
    case ErrorCode::timeout:
      return timeout;
    case ErrorCode::unknown_outcome:
      return unknown_outcome;
    case ErrorCode::cancelled:
      return cancelled;
    case ErrorCode::internal:
      return internal;
  }
  return internal;
}

ProblemCode code_of(http::Refusal::Reason reason) {
  switch (reason) {
    case http::Refusal::Reason::bad_request:
      return malformed_request;
    case http::Refusal::Reason::request_timeout:
      return request_timeout;
    case http::Refusal::Reason::content_too_large:
      return content_too_large;
    case http::Refusal::Reason::uri_too_long:
      return uri_too_long;
    case http::Refusal::Reason::expectation_failed:
      return expectation_failed;
    case http::Refusal::Reason::header_too_large:
      return header_too_large;
    case http::Refusal::Reason::not_implemented:
      return not_implemented;
    case http::Refusal::Reason::method_not_allowed:
      return method_not_allowed;
    case http::Refusal::Reason::version_not_supported:
      return version_not_supported;
    case http::Refusal::Reason::overloaded:
      return overloaded;
    case http::Refusal::Reason::internal:
      return internal;
  }
  return internal;
}

void add_authenticate(ProblemCode code, http::Response& response) {
  // RFC 6750, section 3: no error code where no token was sent.
  response.add("WWW-Authenticate", code == token_invalid
                                       ? R"(Bearer realm="user-manager", error="invalid_token")"
                                       : R"(Bearer realm="user-manager")");
}

}  // namespace

Problem to_problem(Error error, ProblemCode not_found) {
  Problem problem{.code = code_of(error.code, not_found), .retry_after = error.retry_after};
  if (hides_detail(problem.code)) {
    problem.log_detail = std::move(error.detail);
    return problem;
  }
  const bool by_field = error.code == ErrorCode::invalid || error.detail.empty();
  if (by_field && !error.fields.empty()) {
    problem.detail = summary(error.fields);
  } else {
    problem.detail = std::move(error.detail);
  }
  problem.fields = std::move(error.fields);
  return problem;
}

Problem to_problem(const http::Refusal& refusal) {
  return {.code = code_of(refusal.reason), .detail = std::string{refusal.detail}};
}

void write_problem(const Problem& problem, http::Response& response) {
  const ProblemKind& kind = kind_of(problem.code);
  const std::string_view detail = problem.detail.empty() ? kind.title : problem.detail;
  response.status = kind.status;
  response.headers += problem.headers;
  response.headers +=
      "Content-Type: application/problem+json\r\n"
      "Cache-Control: no-store\r\n";
  if (kind.status == 401) add_authenticate(problem.code, response);
  if (kind.status == 429 || kind.status == 503) {
    const auto wait = problem.retry_after.value_or(std::chrono::seconds{1});
    response.add("Retry-After", std::to_string(std::max<std::int64_t>(1, wait.count())));
  }

  JsonWriter json;
  json.open_object()
      .member("type", std::string{"urn:user-manager:problem:"}.append(kind.name))
      .member("title", kind.title)
      .member("status", kind.status)
      .member("detail", detail)
      .member("code", kind.name);
  if (!problem.fields.empty()) write_fields(json, problem.fields);
  json.member("error", kind.error.empty() ? detail : kind.error).close();
  response.body += json.text();
}

}  // namespace um::api
