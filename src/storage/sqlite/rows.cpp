#include "storage/sqlite/rows.hpp"

#include <algorithm>

#include <sqlite3.h>

namespace um {

namespace {

[[noreturn]] void broken_row(std::string_view what, std::int64_t id) {
  throw sqlite::SqliteError{
      SQLITE_MISMATCH, std::string{what} + " of row " + std::to_string(id) + " breaks the rules"};
}

Usd read_usd(std::int64_t micros) {
  // Only another program can have stored an amount out of bounds; it becomes the nearest bound.
  return *Usd::from_micros(std::clamp(micros, -Usd::kMaxMicros, Usd::kMaxMicros));
}

}  // namespace

User read_user(const sqlite::Run& run, int column) {
  const auto id = UserId::from(run.integer(column));
  auto email = Email::parse(run.text(column + 1));
  const auto role = parse_role(run.text(column + 5));
  if (!id) broken_row("the id", run.integer(column));
  if (!email) broken_row("the e-mail address", id->value());
  if (!role) broken_row("the role", id->value());
  User user{.id = *id, .email = std::move(*email)};
  user.username = run.optional_text(column + 2);
  user.first_name = run.text(column + 3);
  user.last_name = run.text(column + 4);
  user.role = *role;
  user.is_active = run.integer(column + 6) != 0;
  if (!run.null(column + 7)) user.quota_usd = read_usd(run.integer(column + 7));
  user.used_usd = read_usd(run.integer(column + 8));
  user.model_capability_settings = run.optional_text(column + 9);
  user.created_at = from_micros(run.integer(column + 10));
  user.updated_at = from_micros(run.integer(column + 11));
  if (!run.null(column + 12)) user.last_login_at = from_micros(run.integer(column + 12));
  user.version = run.integer(column + 13);
  user.counters_version = run.integer(column + 14);
  user.auth_epoch = run.integer(column + 15);
  return user;
}

Session read_session(const sqlite::Run& run, int column) {
  const auto id = SessionId::parse(run.text(column));
  const auto user = UserId::from(run.integer(column + 1));
  if (!id || !user) broken_row("the id of a session", run.integer(column + 1));
  return {.id = *id,
          .user_id = *user,
          .auth_epoch = run.integer(column + 2),
          .kind = run.text(column + 3) == "login" ? SessionKind::login : SessionKind::service_token,
          .created_at = from_micros(run.integer(column + 4)),
          .expires_at = from_micros(run.integer(column + 5)),
          .address = std::string{run.text(column + 6)},
          .user_agent = std::string{run.text(column + 7)}};
}

}  // namespace um
