#include "storage/postgres/queries.hpp"
#include "storage/postgres/stores.hpp"
#include "storage/rules.hpp"
#include "user/search_fold.hpp"
#include "user/time_text.hpp"

namespace um {

namespace {

namespace queries = postgres_queries;

// The column of the password hash, after the columns of the user.
constexpr std::size_t kHashColumn = 16;

Result<UserRef> record_at(const pg::Rows& rows, Cell at) {
  auto user = read_user(rows, at);
  if (!user) return std::unexpected(user.error());
  return make_record(std::move(*user));
}

// Writes: each function is one write inside a transaction, with its rules. An error rolls the
// transaction back.

// Locks the user's row until the end of the transaction and returns the user. not_found.
Task<Result<User>> lock_user(PostgresWrite& write, UserId id) {
  const auto rows = co_await write.run(queries::kLockUser, {id.value()});
  if (!rows) co_return std::unexpected(rows.error());
  if (rows->empty()) co_return fail(rules::no_such_user());
  co_return read_user(*rows, {});
}

// last_admin if there is no other active administrator. Another transaction that takes the role
// from a user waits here until this one ends, and then sees its changes.
Task<Result<void>> ensure_other_admin(PostgresWrite& write, UserId id) {
  const auto locked = co_await write.run(queries::kLockAdmins);
  if (!locked) co_return std::unexpected(locked.error());
  const auto other = co_await write.run(queries::kOtherAdmin, {id.value()});
  if (!other) co_return std::unexpected(other.error());
  if (!other->boolean(0, 0)) co_return fail(rules::last_admin());
  co_return Result<void>{};
}

// Stores the planned user and copies the numbers that the database assigned into it.
Task<Result<void>> store_update(PostgresWrite& write, rules::PlannedUpdate& plan,
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
  write.touch(user);
  co_return planned;
}

Task<Result<UserRef>> update_user(PostgresWrite& write, const UpdateUser& update, WallTime now) {
  const UserChange& change = update.change;
  const auto current = co_await lock_user(write, update.id);
  if (!current) co_return std::unexpected(current.error());
  auto plan = rules::plan_update(*current, update);
  if (!plan) co_return std::unexpected(plan.error());
  if (plan->changes_nothing) co_return make_record(*current);
  if (plan->gives_up_admin) {
    const auto allowed = co_await ensure_other_admin(write, update.id);
    if (!allowed) co_return std::unexpected(allowed.error());
  }
  plan->user.updated_at = now;
  const auto stored = co_await store_update(write, *plan, change.password_hash);
  if (!stored) co_return std::unexpected(stored.error());
  const User& user = plan->user;
  if (change.keep_session && change.password_hash && user.is_active) {
    const auto kept = co_await write.run(queries::kKeepSession,
                                         pg::Params{change.keep_session->text(), user.id.value(),
                                                    current->auth_epoch, user.auth_epoch});
    if (!kept) co_return std::unexpected(kept.error());
    write.touch(CacheKey::of(*change.keep_session));
  }
  write.touch(*current);
  write.touch(user);
  co_return make_record(user);
}

Task<Result<void>> remove_user(PostgresWrite& write, const UserStore::RemoveUser& request) {
  const auto current = co_await lock_user(write, request.id);
  if (!current) co_return std::unexpected(current.error());
  if (request.expected && !rules::in_revision(*current, *request.expected)) {
    co_return fail(ErrorCode::conflict, "the user was changed meanwhile");
  }
  if (rules::is_acting_admin(*current)) {
    const auto allowed = co_await ensure_other_admin(write, request.id);
    if (!allowed) co_return std::unexpected(allowed.error());
  }
  // Deleting the user deletes its sessions, so their keys are touched as well. No session is added
  // meanwhile: a sign-in waits for the lock on the user's row.
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
  write.touch(*current);
  co_return Result<void>{};
}

Task<Result<void>> end_user_sessions(PostgresWrite& write, UserId id) {
  const auto ended = co_await write.run(queries::kEndSessions, {id.value()});
  if (!ended) co_return std::unexpected(ended.error());
  if (ended->empty()) co_return fail(rules::no_such_user());
  write.is_transaction(*ended, {});
  write.touch(CacheKey::of(id));
  co_return Result<void>{};
}

// Touches the user's keys without changing anything.
Task<Result<void>> announce_user(PostgresWrite& write, UserId id) {
  const auto announced = co_await write.run(queries::kInvalidate, {id.value()});
  if (!announced) co_return std::unexpected(announced.error());
  write.is_transaction(*announced, {});
  write.touch(CacheKey::of(id));
  if (!announced->null(0, 1)) write.touch("email:" + std::string{announced->text(0, 1)});
  co_return Result<void>{};
}

}  // namespace

Task<Result<UserReading>> PostgresUserStore::find(UserId id, ReadOptions options) {
  return db_.find<UserRecord>(queries::kFindUser, {id.value()}, options.deadline, &record_at);
}

Task<Result<UserReading>> PostgresUserStore::find(Email email, ReadOptions options) {
  return db_.find<UserRecord>(queries::kFindUserByEmail, {email.folded()}, options.deadline,
                              &record_at);
}

Task<Result<std::vector<UserRef>>> PostgresUserStore::list(Page page, Deadline deadline) {
  const std::int64_t after = page.after ? page.after->value() : 0;
  const auto rows =
      co_await db_.scan(queries::kListUsers, pg::Params{after, page.offset, page.limit}, deadline);
  if (!rows) co_return std::unexpected(rows.error());
  co_return read_users(*rows, 0);
}

Task<Result<std::vector<UserRef>>> PostgresUserStore::search(std::string keyword, Page page,
                                                             Deadline deadline) {
  std::string folded = fold_for_search(keyword);
  if (folded.empty()) return list(page, deadline);
  return postgres_search::search(db_, std::move(folded), page, deadline);
}

Task<Result<std::int64_t>> PostgresUserStore::count(std::string keyword, Deadline deadline) {
  std::string folded = fold_for_search(keyword);
  if (!folded.empty()) {
    const auto found = co_await postgres_search::count(db_, std::move(folded), deadline);
    co_return found;
  }
  const auto rows = co_await db_.scan(queries::kCountUsers, {}, deadline);
  if (!rows) co_return std::unexpected(rows.error());
  co_return rows->integer(0, 0);
}

Task<Result<bool>> PostgresUserStore::has_admin(Deadline deadline) {
  const auto rows = co_await db_.look_up(queries::kHasAdmin, {}, deadline);
  if (!rows) co_return std::unexpected(rows.error());
  co_return rows->boolean(0, 0);
}

Task<Result<UserRef>> PostgresUserStore::insert(NewUser user, Deadline deadline) {
  // Another transaction may have chosen the id that the sequence assigns, so a few ids are tried.
  constexpr int kDraws = 4;
  const auto work = [&](PostgresWrite& write) {
    return insert_user(write, user, db_.clock().wall_now());
  };
  for (int draw = 1;; ++draw) {
    auto inserted = co_await db_.write<User>(deadline, work);
    if (inserted) co_return make_record(std::move(*inserted));
    const bool unlucky = inserted.error().code == ErrorCode::conflict && !user.id;
    if (!unlucky || draw == kDraws) co_return std::unexpected(inserted.error());
  }
}

Task<Result<std::vector<Result<UserId>>>> PostgresUserStore::insert_many(InsertMany batch,
                                                                         Deadline deadline) {
  auto answers = co_await postgres_writes::insert_many(db_, batch, deadline);
  co_return answers;
}

Task<Result<UserRef>> PostgresUserStore::update(UpdateUser update, Deadline deadline) {
  const auto work = [&](PostgresWrite& write) {
    return update_user(write, update, db_.clock().wall_now());
  };
  auto updated = co_await db_.write<UserRef>(deadline, work);
  co_return updated;
}

Task<Result<void>> PostgresUserStore::remove(RemoveUser request, Deadline deadline) {
  const auto work = [&](PostgresWrite& write) { return remove_user(write, request); };
  auto removed = co_await db_.write<void>(deadline, work);
  co_return removed;
}

Task<Result<UsageTotals>> PostgresUserStore::add_usage(UsageRecord usage, Deadline deadline) {
  return usage_.add(std::move(usage), deadline);
}

Task<Result<std::optional<Credentials>>> PostgresUserStore::find_credentials(const pg::Query& query,
                                                                             pg::Params params,
                                                                             Deadline deadline) {
  const auto rows = co_await db_.look_up(query, std::move(params), deadline);
  if (!rows) co_return std::unexpected(rows.error());
  if (rows->empty()) co_return std::nullopt;
  auto user = record_at(*rows, {});
  if (!user) co_return std::unexpected(user.error());
  co_return Credentials{.user = std::move(*user),
                        .password_hash = Secret{std::string{rows->text(0, kHashColumn)}}};
}

Task<Result<std::optional<Credentials>>> PostgresUserStore::credentials(Email email,
                                                                        Deadline deadline) {
  return find_credentials(queries::kCredentialsByEmail, {email.folded()}, deadline);
}

Task<Result<std::optional<Credentials>>> PostgresUserStore::credentials(UserId id,
                                                                        Deadline deadline) {
  return find_credentials(queries::kCredentials, {id.value()}, deadline);
}

Task<Result<void>> PostgresUserStore::rehash(Rehash rehash, Deadline deadline) {
  const auto done = co_await db_.change(
      queries::kSetHash,
      pg::Params{rehash.id.value(), rehash.old_hash.reveal(), rehash.new_hash.reveal()}, deadline);
  if (!done) co_return std::unexpected(done.error());
  co_return Result<void>{};
}

Task<Result<void>> PostgresUserStore::end_sessions(UserId id, Deadline deadline) {
  const auto work = [id](PostgresWrite& write) { return end_user_sessions(write, id); };
  auto ended = co_await db_.write<void>(deadline, work);
  co_return ended;
}

Task<Result<void>> PostgresUserStore::invalidate(UserId id, Deadline deadline) {
  const auto work = [id](PostgresWrite& write) { return announce_user(write, id); };
  auto announced = co_await db_.write<void>(deadline, work);
  co_return announced;
}

Task<Result<std::int64_t>> PostgresUserStore::purge_usage_keys(Purge purge, Deadline deadline) {
  const auto purged = co_await db_.change(
      queries::kPurgeUsageKeys,
      pg::Params{time_text(purge.now - rules::kUsageKeysKept), purge.limit}, deadline);
  if (!purged) co_return std::unexpected(purged.error());
  co_return static_cast<std::int64_t>(purged->affected());
}

}  // namespace um
