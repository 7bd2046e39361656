#include "storage/sqlite_user_writes.hpp"

#include "storage/cache_key.hpp"
#include "storage/sqlite_queries.hpp"
#include "storage/sqlite_rows.hpp"

namespace um::sqlite_writes {

namespace {

using sqlite::Connection;
using sqlite::SqliteError;

// An id that is given may not use up the numbers that storage hands out itself.
constexpr std::int64_t kMaxGivenId = std::int64_t{1} << 53U;

std::int64_t next(Transaction& tx, const sqlite::Query& query) {
  auto run = tx.db().run(query);
  if (!run.next()) throw SqliteError{0, "a sequence is gone"};
  return run.integer(0);
}

template <class... Args>
bool exists(Connection& db, const sqlite::Query& query, const Args&... args) {
  auto run = db.run(query, args...);
  return run.next();
}

std::optional<std::int64_t> micros(const std::optional<Usd>& amount) {
  if (!amount) return std::nullopt;
  return amount->micros();
}

std::optional<User> load(Connection& db, UserId id) {
  auto run = db.run(sqlite_queries::kLoadUser, id.value());
  if (!run.next()) return std::nullopt;
  return read_user(run, 0);
}

void touch(Transaction& tx, const User& user) {
  tx.touch(CacheKey::of(user.id).str());
  tx.touch(CacheKey::of(user.email).str());
}

bool is_acting_admin(const User& user) {
  return user.role == Role::admin && user.is_active;
}

bool other_admin_exists(Connection& db, UserId id) {
  auto run = db.run(sqlite_queries::kOtherAdmin, id.value());
  return run.next() && run.integer(0) != 0;
}

bool in_revision(const User& user, const Revision& expected) {
  if (user.version != expected.version) return false;
  return expected.digest.empty() || make_record(user)->revision == expected;
}

// Which of the unique members is in the way? Called in the handler of a failed statement, under the
// write lock. `self`: the row that may have them, 0 for a new one.
Error taken(const SqliteError& error, Connection& db, const User& user, std::int64_t self) {
  if (error.fault() != sqlite::Fault::constraint) throw;
  if (exists(db, sqlite_queries::kEmailTaken, user.email.text(), self)) {
    return {.code = ErrorCode::email_taken, .detail = "the e-mail address is taken"};
  }
  if (exists(db, sqlite_queries::kUsernameTaken, user.username, self)) {
    return {.code = ErrorCode::username_taken, .detail = "the username is taken"};
  }
  throw;
}

User merged(const User& current, const UserChange& change) {
  User next = current;
  if (change.email) next.email = *change.email;
  if (change.username) next.username = *change.username;
  if (change.first_name) next.first_name = *change.first_name;
  if (change.last_name) next.last_name = *change.last_name;
  if (change.role) next.role = *change.role;
  if (change.is_active) next.is_active = *change.is_active;
  if (change.quota_usd) next.quota_usd = *change.quota_usd;
  if (change.model_capability_settings) {
    next.model_capability_settings = *change.model_capability_settings;
  }
  return next;
}

bool same_profile(const User& a, const User& b) {
  return a.email.text() == b.email.text() && a.username == b.username &&
         a.first_name == b.first_name && a.last_name == b.last_name && a.role == b.role &&
         a.is_active == b.is_active && a.quota_usd == b.quota_usd &&
         a.model_capability_settings == b.model_capability_settings;
}

std::string searched(const User& user) {
  return search_text(
      {.first = user.first_name, .last = user.last_name, .email = user.email.text()});
}

void store(Transaction& tx, const User& user, const std::optional<Secret>& hash) {
  std::optional<std::string_view> password;
  if (hash) password = hash->reveal();
  tx.db()
      .run(sqlite_queries::kUpdateUser, user.id.value(), user.email.text(), user.username,
           user.first_name, user.last_name, to_string(user.role), user.is_active,
           micros(user.quota_usd), user.model_capability_settings, to_micros(user.updated_at),
           user.version, user.auth_epoch, password)
      .finish();
}

}  // namespace

std::int64_t next_epoch(Transaction& tx) {
  return next(tx, sqlite_queries::kNextEpoch);
}

Result<User> insert_user(Transaction& tx, const NewUser& wanted, WallTime now) {
  Connection& db = tx.db();
  if (wanted.id && wanted.id->value() > kMaxGivenId) {
    return fail({.code = ErrorCode::invalid,
                 .detail = "the id is too large",
                 .fields = {{"id", "too_large", "must be at most 2^53"}}});
  }
  if (wanted.id && exists(db, sqlite_queries::kIdTaken, wanted.id->value())) {
    return fail(ErrorCode::conflict, "a user with this id exists");
  }
  // The place of an id that storage chooses is taken by 1 until it is known.
  User user{.id = wanted.id.value_or(*UserId::from(1)), .email = wanted.email};
  user.username = wanted.username;
  user.first_name = wanted.first_name;
  user.last_name = wanted.last_name;
  user.role = wanted.role;
  user.is_active = wanted.is_active;
  user.quota_usd = wanted.quota_usd;
  user.used_usd = wanted.used_usd;
  user.model_capability_settings = wanted.model_capability_settings;
  user.created_at = wanted.created_at.value_or(now);
  user.updated_at = now;
  user.version = next(tx, sqlite_queries::kNextVersion);
  user.auth_epoch = next_epoch(tx);
  std::optional<std::int64_t> id;
  if (wanted.id) id = wanted.id->value();
  try {
    db.run(sqlite_queries::kInsertUser, id, user.email.text(), user.username, user.first_name,
           user.last_name, to_string(user.role), user.is_active, micros(user.quota_usd),
           user.used_usd.micros(), user.model_capability_settings, to_micros(user.created_at),
           to_micros(user.updated_at), user.version, user.auth_epoch, wanted.password_hash.reveal())
        .finish();
  } catch (const SqliteError& error) {
    return std::unexpected(taken(error, db, user, 0));
  }
  user.id = *UserId::from(db.last_insert_rowid());
  db.run(sqlite_queries::kInsertSearch, user.id.value(), searched(user)).finish();
  touch(tx, user);
  return user;
}

Result<UserRef> update_user(Transaction& tx, const UpdateUser& update, WallTime now) {
  Connection& db = tx.db();
  const UserChange& change = update.change;
  const auto current = load(db, update.id);
  if (!current) return fail(ErrorCode::not_found, "no such user");
  if (update.expected && !in_revision(*current, *update.expected)) {
    return fail(ErrorCode::conflict, "the user was changed meanwhile");
  }
  User user = merged(*current, change);
  if (same_profile(*current, user) && !change.password_hash) return make_record(*current);
  if (is_acting_admin(*current) && !is_acting_admin(user) && !other_admin_exists(db, user.id)) {
    return fail(ErrorCode::last_admin, "the last active administrator has to stay");
  }
  const bool disabled = current->is_active && !user.is_active;
  if (disabled || change.password_hash) user.auth_epoch = next_epoch(tx);
  user.version = next(tx, sqlite_queries::kNextVersion);
  user.updated_at = now;
  try {
    store(tx, user, change.password_hash);
  } catch (const SqliteError& error) {
    return std::unexpected(taken(error, db, user, user.id.value()));
  }
  if (change.keep_session && change.password_hash && user.is_active) {
    db.run(sqlite_queries::kKeepSession, change.keep_session->text(), user.id.value(),
           current->auth_epoch, user.auth_epoch)
        .finish();
    tx.touch(CacheKey::of(*change.keep_session).str());
  }
  db.run(sqlite_queries::kUpdateSearch, user.id.value(), searched(user)).finish();
  touch(tx, *current);
  touch(tx, user);
  return make_record(std::move(user));
}

Result<void> remove_user(Transaction& tx, const UserStore::RemoveUser& request) {
  Connection& db = tx.db();
  const auto current = load(db, request.id);
  if (!current) return fail(ErrorCode::not_found, "no such user");
  if (request.expected && !in_revision(*current, *request.expected)) {
    return fail(ErrorCode::conflict, "the user was changed meanwhile");
  }
  if (is_acting_admin(*current) && !other_admin_exists(db, request.id)) {
    return fail(ErrorCode::last_admin, "the last active administrator has to stay");
  }
  // The rows of the sessions go with the user; whoever remembers them has to hear of it.
  for (auto run = db.run(sqlite_queries::kSessionsOfUser, request.id.value()); run.next();) {
    tx.touch("session:" + std::string{run.text(0)});
  }
  db.run(sqlite_queries::kDeleteUser, request.id.value()).finish();
  touch(tx, *current);
  return {};
}

Result<UsageTotals> add_usage(Transaction& tx, const UsageRecord& usage, WallTime now) {
  Connection& db = tx.db();
  const std::int64_t id = usage.user.value();
  const auto totals = [](const sqlite::Run& run) {
    UsageTotals result;
    result.used_usd = Usd::from_micros(run.integer(0)).value_or(Usd{});
    if (!run.null(1)) result.quota_usd = Usd::from_micros(run.integer(1));
    return result;
  };
  if (usage.amount.negative()) return fail(ErrorCode::invalid, "usage cannot be negative");
  if (usage.idempotency_key) {
    const auto day_ago = to_micros(now - std::chrono::hours{24});
    auto seen = db.run(sqlite_queries::kFindUsageKey, id, *usage.idempotency_key, day_ago);
    if (seen.next()) {
      if (seen.integer(0) != usage.amount.micros()) {
        return fail(ErrorCode::conflict, "the idempotency key was used with another amount");
      }
      auto run = db.run(sqlite_queries::kUsageTotals, id);
      if (!run.next()) return fail(ErrorCode::not_found, "no such user");
      return totals(run);
    }
  }
  auto run = db.run(sqlite_queries::kAddUsage, id, usage.amount.micros(), Usd::kMaxMicros);
  if (!run.next()) {
    if (!exists(db, sqlite_queries::kIdTaken, id))
      return fail(ErrorCode::not_found, "no such user");
    return fail(ErrorCode::invalid, "the sum would be too large");
  }
  const UsageTotals result = totals(run);
  if (usage.idempotency_key) {
    db.run(sqlite_queries::kPutUsageKey, id, *usage.idempotency_key, usage.amount.micros(),
           to_micros(now))
        .finish();
  }
  tx.touch(CacheKey::of(usage.user).str());
  return result;
}

Result<void> end_sessions(Transaction& tx, UserId id) {
  if (!exists(tx.db(), sqlite_queries::kIdTaken, id.value())) {
    return fail(ErrorCode::not_found, "no such user");
  }
  tx.db().run(sqlite_queries::kSetEpoch, id.value(), next_epoch(tx)).finish();
  tx.touch(CacheKey::of(id).str());
  return {};
}

void announce(Transaction& tx, UserId id) {
  tx.touch(CacheKey::of(id).str());
  if (const auto user = load(tx.db(), id)) tx.touch(CacheKey::of(user->email).str());
}

}  // namespace um::sqlite_writes
