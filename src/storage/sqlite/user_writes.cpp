#include "storage/sqlite/user_writes.hpp"

#include "storage/cache_key.hpp"
#include "storage/rules.hpp"
#include "storage/sqlite/queries.hpp"
#include "storage/sqlite/rows.hpp"

namespace um::sqlite_writes {

namespace {

using sqlite::Connection;
using sqlite::SqliteError;

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

bool other_admin_exists(Connection& db, UserId id) {
  auto run = db.run(sqlite_queries::kOtherAdmin, id.value());
  return run.next() && run.integer(0) != 0;
}

// Which of the unique members is in the way? Called in the handler of a failed statement, under the
// write lock. `self`: the row that may have them, 0 for a new one.
Error taken(const SqliteError& error, Connection& db, const User& user, std::int64_t self) {
  if (error.fault() != sqlite::Fault::constraint) throw;
  if (exists(db, sqlite_queries::kEmailTaken, user.email.text(), self)) {
    return rules::email_taken();
  }
  if (exists(db, sqlite_queries::kUsernameTaken, user.username, self)) {
    return rules::username_taken();
  }
  throw;
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
  auto planned = rules::plan_insert(wanted, now);
  if (!planned) return planned;
  if (wanted.id && exists(db, sqlite_queries::kIdTaken, wanted.id->value())) {
    return fail(rules::id_taken());
  }
  User user = std::move(*planned);
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
  db.run(sqlite_queries::kInsertSearch, user.id.value(), rules::search_text(user)).finish();
  touch(tx, user);
  return user;
}

std::vector<Result<UserId>> insert_users(Transaction& tx, const std::vector<NewUser>& users,
                                         WallTime now) {
  const auto is_there = [&](const NewUser& user) {
    return user.id &&
           exists(tx.db(), sqlite_queries::kHasIdAndEmail, user.id->value(), user.email.text());
  };
  if (const std::int64_t named = rules::largest_named_id(users); named > 0) {
    tx.db().run(sqlite_queries::kMakeIdSequence).finish();
    tx.db().run(sqlite_queries::kPassIds, named).finish();
  }
  std::vector<Result<UserId>> answers;
  answers.reserve(users.size());
  for (const NewUser& user : users) {
    const auto inserted = insert_user(tx, user, now);
    if (inserted) {
      answers.emplace_back(inserted->id);
    } else {
      answers.emplace_back(
          std::unexpected(is_there(user) ? rules::email_taken() : inserted.error()));
    }
    tx.pulse();
  }
  return answers;
}

Result<UserRef> update_user(Transaction& tx, const UpdateUser& update, WallTime now) {
  Connection& db = tx.db();
  const UserChange& change = update.change;
  const auto current = load(db, update.id);
  if (!current) return fail(rules::no_such_user());
  auto planned = rules::plan_update(*current, update);
  if (!planned) return std::unexpected(planned.error());
  if (planned->changes_nothing) return make_record(*current);
  User& user = planned->user;
  if (planned->gives_up_admin && !other_admin_exists(db, user.id)) return fail(rules::last_admin());
  if (planned->ends_sessions) user.auth_epoch = next_epoch(tx);
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
  db.run(sqlite_queries::kUpdateSearch, user.id.value(), rules::search_text(user)).finish();
  touch(tx, *current);
  touch(tx, user);
  return make_record(std::move(user));
}

Result<void> remove_user(Transaction& tx, const UserStore::RemoveUser& request) {
  Connection& db = tx.db();
  const auto current = load(db, request.id);
  if (!current) return fail(rules::no_such_user());
  if (request.expected && !rules::in_revision(*current, *request.expected)) {
    return fail(ErrorCode::conflict, "the user was changed meanwhile");
  }
  if (rules::is_acting_admin(*current) && !other_admin_exists(db, request.id)) {
    return fail(rules::last_admin());
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
    const auto day_ago = to_micros(now - rules::kUsageKeysKept);
    auto seen = db.run(sqlite_queries::kFindUsageKey, id, *usage.idempotency_key, day_ago);
    if (seen.next()) {
      if (seen.integer(0) != usage.amount.micros()) {
        return fail(ErrorCode::conflict, "the idempotency key was used with another amount");
      }
      auto run = db.run(sqlite_queries::kUsageTotals, id);
      if (!run.next()) return fail(rules::no_such_user());
      return totals(run);
    }
  }
  auto run = db.run(sqlite_queries::kAddUsage, id, usage.amount.micros(), Usd::kMaxMicros);
  if (!run.next()) {
    if (!exists(db, sqlite_queries::kIdTaken, id)) return fail(rules::no_such_user());
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
    return fail(rules::no_such_user());
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
