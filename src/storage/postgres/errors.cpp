#include "storage/postgres/errors.hpp"

#include <algorithm>
#include <array>

#include "storage/rules.hpp"

namespace um {

namespace {

// Appendix A of the PostgreSQL documentation.
constexpr std::string_view kUniqueViolation = "23505";
constexpr std::string_view kForeignKeyViolation = "23503";
constexpr std::string_view kCheckViolation = "23514";
constexpr std::string_view kReadOnly = "25006";
constexpr std::string_view kDiskFull = "53100";
constexpr std::string_view kUndefinedTable = "42P01";
constexpr std::string_view kUndefinedFunction = "42883";
constexpr std::string_view kUndefinedColumn = "42703";
constexpr std::string_view kNoPrivilege = "42501";
constexpr std::string_view kDataException = "22";  // the class: bad UTF-8, bad JSON, out of range

Error taken(std::string_view constraint) {
  if (constraint == "users_email") return rules::email_taken();
  if (constraint == "users_username") return rules::username_taken();
  if (constraint == "users_pkey") return rules::id_taken();
  if (constraint == "signing_keys_kid") {
    return {.code = ErrorCode::conflict, .detail = "this key was used before"};
  }
  return {.code = ErrorCode::conflict, .detail = "something with this name exists"};
}

Error unavailable(std::string detail) {
  return {.code = ErrorCode::unavailable,
          .detail = std::move(detail),
          .retry_after = std::chrono::seconds{1}};
}

bool schema_is_missing(std::string_view state) {
  return state == kUndefinedTable || state == kUndefinedFunction || state == kUndefinedColumn;
}

}  // namespace

Error postgres_error(const pg::Failure& failure) {
  const std::string_view state = failure.sqlstate;
  if (failure.kind != pg::Failure::refused) return pg::to_error(failure);
  if (state == kUniqueViolation) return taken(failure.constraint);
  if (state == kForeignKeyViolation) return rules::no_such_user();
  if (state == kCheckViolation) {
    return {.code = ErrorCode::invalid,
            .detail = "a value breaks the rule " + failure.constraint + " of the database"};
  }
  if (state.starts_with(kDataException)) {
    return {.code = ErrorCode::invalid,
            .detail = "the database cannot store a value (SQLSTATE " + failure.sqlstate + ")"};
  }
  if (state == kReadOnly) return unavailable("the database accepts no writes now");
  if (state == kDiskFull) return unavailable("the disk of the database is full");
  if (schema_is_missing(state)) return unavailable("the database needs `migrate` first");
  if (state == kNoPrivilege) {
    return unavailable("the database role lacks a privilege (SQLSTATE 42501)");
  }
  return pg::to_error(failure);
}

Error broken_row(std::string_view what, std::int64_t id) {
  return {.code = ErrorCode::internal,
          .detail = std::string{what} + " of row " + std::to_string(id) + " breaks the rules"};
}

}  // namespace um
