#include "drivers/pg/failure.hpp"

namespace um::pg {
namespace {

constexpr std::chrono::seconds kRetryAfter{1};

bool out_of_service(const Failure& failure) {
  const std::string_view state = failure.sqlstate;
  return worth_repeating(failure) || state == "25006" || state == "55P03" ||
         state.starts_with("53");
}

}  // namespace

Failure::Kind classify(std::string_view sqlstate) {
  if (sqlstate == "57014") return Failure::timeout;
  if (sqlstate == "08P01") return Failure::refused;  // a wrong number of parameters, for one
  if (sqlstate == "53300" || sqlstate.starts_with("57P0") || sqlstate.starts_with("08")) {
    return Failure::lost;
  }
  // idle_in_transaction_session_timeout ends the connection.
  if (sqlstate == "25P03") return Failure::lost;
  return Failure::refused;
}

bool worth_repeating(const Failure& failure) {
  return failure.kind == Failure::refused &&
         (failure.sqlstate == "40001" || failure.sqlstate == "40P01");
}

std::string_view to_string(Failure::Kind kind) {
  switch (kind) {
    case Failure::refused:
      return "refused";
    case Failure::lost:
      return "lost";
    case Failure::unknown_outcome:
      return "unknown_outcome";
    case Failure::not_replicated:
      return "not_replicated";
    case Failure::timeout:
      return "timeout";
    case Failure::overloaded:
      return "overloaded";
    case Failure::elsewhere:
      return "elsewhere";
  }
  return "";
}

Error to_error(const Failure& failure) {
  switch (failure.kind) {
    case Failure::lost:
      return {.code = ErrorCode::unavailable,
              .detail = "the database cannot be reached",
              .retry_after = kRetryAfter};
    case Failure::elsewhere:
      return {.code = ErrorCode::unavailable,
              .detail = "the database is not the one it was before",
              .retry_after = kRetryAfter};
    case Failure::overloaded:
      return {.code = ErrorCode::overloaded,
              .detail = "too many requests wait for the database",
              .retry_after = kRetryAfter};
    case Failure::timeout:
      return {.code = ErrorCode::timeout, .detail = "the database did not answer in time"};
    case Failure::unknown_outcome:
      return {.code = ErrorCode::unknown_outcome,
              .detail = "the connection to the database was lost during a commit"};
    case Failure::not_replicated:
      return {.code = ErrorCode::unknown_outcome,
              .detail = "the database did not confirm that a standby has the change"};
    case Failure::refused:
      break;
  }
  if (out_of_service(failure)) {
    return {.code = ErrorCode::unavailable,
            .detail = "the database cannot do this now (SQLSTATE " + failure.sqlstate + ")",
            .retry_after = kRetryAfter};
  }
  return {.code = ErrorCode::internal,
          .detail = "the database refused a statement (SQLSTATE " + failure.sqlstate + ")"};
}

}  // namespace um::pg
