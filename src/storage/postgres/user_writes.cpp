#include "storage/postgres/user_writes.hpp"

#include "storage/cache_key.hpp"
#include "storage/postgres/queries.hpp"
#include "storage/postgres/rows.hpp"
#include "storage/rules.hpp"
#include "user/time_text.hpp"

namespace um::postgres_writes {

namespace {

namespace queries = postgres_queries;

void touch(PostgresWrite& write, const User& user) {
  postgres_writes::touch(write, user.id);
  postgres_writes::touch(write, user.email);
}

// The user, whose row nobody else changes until the end of this transaction. not_found.
Task<Result<User>> lock(PostgresWrite& write, UserId id) {
  const auto rows = co_await write.run(queries::kLockUser, {id.value()});
  if (!rows) co_return std::unexpected(rows.error());
  if (rows->empty()) co_return fail(rules::no_such_user());
  co_return read_user(*rows, {});
}

// last_admin if no other active administrator is left. Whoever else gives up the office now waits
// until this transaction ends, and then sees what it did.
Task<Result<void>> ensure_other_admin(PostgresWrite& write, UserId id) {
  const auto locked = co_await write.run(queries::kLockAdmins);
  if (!locked) co_return std::unexpected(locked.error());
  const auto other = co_await write.run(queries::kOtherAdmin, {id.value()});
  if (!other) co_return std::unexpected(other.error());
  if (!other->boolean(0, 0)) co_return fail(rules::last_admin());
  co_return Result<void>{};
}

// Stores the planned user and gives it the numbers that the database chose.
Task<Result<void>> store(PostgresWrite& write, rules::PlannedUpdate& plan,
                         const std::optional<Secret>& hash) {
  User& user = plan.user;
  std::optional<std::string_view> password;
  if (hash) password = hash->reveal();
  const auto stored = co_await write.run(
      queries::kUpdateUser,
      pg::Params{user.id.value(), user.email.text(), user.username, user.first_name, user.last_name,
                 to_string(user.role), user.is_active, usd_text(user.quota_usd),
                 user.model_capability_settings, time_text(user.updated_at), plan.ends_sessions,
                 password, rules::search_text(user)});
  if (!stored) co_return std::unexpected(stored.error());
  user.version = stored->integer(0, 0);
  user.auth_epoch = stored->integer(0, 1);
  write.is_transaction(*stored, {.column = 2});
  co_return Result<void>{};
}

}  // namespace

void touch(PostgresWrite& write, UserId id) {
  write.touch(CacheKey::of(id).str());
}
void touch(PostgresWrite& write, const Email& email) {
  write.touch(CacheKey::of(email).str());
}

std::optional<std::string> usd_text(const std::optional<Usd>& amount) {
  if (!amount) return std::nullopt;
  return amount->text();
}

Task<Result<User>> insert_user(PostgresWrite& write, const NewUser& wanted, WallTime now) {
  auto planned = rules::plan_insert(wanted, now);
  if (!planned) co_return planned;
  User& user = *planned;
  std::optional<std::int64_t> id;
  if (wanted.id) id = wanted.id->value();
  const auto inserted = co_await write.run(
      queries::kInsertUser,
      pg::Params{id, user.email.text(), user.username, user.first_name, user.last_name,
                 to_string(user.role), user.is_active, usd_text(user.quota_usd),
                 user.used_usd.text(), user.model_capability_settings, time_text(user.created_at),
                 time_text(user.updated_at), wanted.password_hash.reveal(),
                 rules::search_text(user)});
  if (!inserted) co_return std::unexpected(inserted.error());
  user.id = UserId::from(inserted->integer(0, 0)).value();
  user.version = inserted->integer(0, 1);
  user.auth_epoch = inserted->integer(0, 2);
  write.is_transaction(*inserted, {.column = 3});
  touch(write, user);
  co_return planned;
}

Task<Result<UserRef>> update_user(PostgresWrite& write, const UpdateUser& update, WallTime now) {
  const UserChange& change = update.change;
  const auto current = co_await lock(write, update.id);
  if (!current) co_return std::unexpected(current.error());
  auto plan = rules::plan_update(*current, update);
  if (!plan) co_return std::unexpected(plan.error());
  if (plan->changes_nothing) co_return make_record(*current);
  if (plan->gives_up_admin) {
    const auto allowed = co_await ensure_other_admin(write, update.id);
    if (!allowed) co_return std::unexpected(allowed.error());
  }
  plan->user.updated_at = now;
  const auto stored = co_await store(write, *plan, change.password_hash);
  if (!stored) co_return std::unexpected(stored.error());
  const User& user = plan->user;
  if (change.keep_session && change.password_hash && user.is_active) {
    const auto kept = co_await write.run(queries::kKeepSession,
                                         pg::Params{change.keep_session->text(), user.id.value(),
                                                    current->auth_epoch, user.auth_epoch});
    if (!kept) co_return std::unexpected(kept.error());
    write.touch(CacheKey::of(*change.keep_session).str());
  }
  touch(write, *current);
  touch(write, user);
  co_return make_record(user);
}

Task<Result<void>> remove_user(PostgresWrite& write, const UserStore::RemoveUser& request) {
  const auto current = co_await lock(write, request.id);
  if (!current) co_return std::unexpected(current.error());
  if (request.expected && !rules::in_revision(*current, *request.expected)) {
    co_return fail(ErrorCode::conflict, "the user was changed meanwhile");
  }
  if (rules::is_acting_admin(*current)) {
    const auto allowed = co_await ensure_other_admin(write, request.id);
    if (!allowed) co_return std::unexpected(allowed.error());
  }
  // The rows of the sessions go with the user; whoever remembers them has to hear of it. No new one
  // comes: a sign-in waits for the row of its user.
  std::vector<pg::Statement> statements;
  statements.push_back({.query = &queries::kSessionsOfUser, .params = {request.id.value()}});
  statements.push_back({.query = &queries::kDeleteUser, .params = {request.id.value()}});
  const auto removed = co_await write.run_all(std::move(statements));
  if (!removed) co_return std::unexpected(removed.error());
  const pg::Rows& sessions = removed->at(0);
  for (std::size_t row = 0; row < sessions.size(); ++row) {
    write.touch("session:" + std::string{sessions.text(row, 0)});
  }
  write.is_transaction(removed->at(1), {});
  touch(write, *current);
  co_return Result<void>{};
}

Task<Result<void>> end_sessions(PostgresWrite& write, UserId id) {
  const auto ended = co_await write.run(queries::kEndSessions, {id.value()});
  if (!ended) co_return std::unexpected(ended.error());
  if (ended->empty()) co_return fail(rules::no_such_user());
  write.is_transaction(*ended, {});
  touch(write, id);
  co_return Result<void>{};
}

Task<Result<void>> announce(PostgresWrite& write, UserId id) {
  const auto announced = co_await write.run(queries::kInvalidate, {id.value()});
  if (!announced) co_return std::unexpected(announced.error());
  write.is_transaction(*announced, {});
  touch(write, id);
  if (!announced->null(0, 1)) write.touch("email:" + std::string{announced->text(0, 1)});
  co_return Result<void>{};
}

}  // namespace um::postgres_writes
