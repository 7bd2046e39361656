#include "storage/cache_key.hpp"
#include "storage/rules.hpp"
#include "storage/sqlite/queries.hpp"
#include "storage/sqlite/rows.hpp"
#include "storage/sqlite/stores.hpp"
#include "user/search_fold.hpp"

namespace um {

namespace {

using sqlite::Connection;
using sqlite::SqliteError;
using sqlite::Transaction;

UserRef record_at(const sqlite::Run& run, int column) {
  return make_record(read_user(run, column));
}

// Null for a row that breaks the rules (another program wrote it): lists leave it out.
UserRef record_if_sound(const sqlite::Run& run) {
  try {
    return record_at(run, 0);
  } catch (const sqlite::SqliteError&) {
    return nullptr;
  }
}

// Lets several statements see one state of the database.
class ReadTransaction {
 public:
  explicit ReadTransaction(Connection& db) : db_{db} {
    db_.run(sqlite_queries::kBeginRead).finish();
  }
  ReadTransaction(const ReadTransaction&) = delete;
  ReadTransaction& operator=(const ReadTransaction&) = delete;
  ~ReadTransaction() {
    try {
      if (db_.in_transaction()) db_.run(sqlite_queries::kEndRead).finish();
    } catch (const sqlite::SqliteError&) {  // NOLINT(bugprone-empty-catch)
      // Ending a read fails only if the connection is broken, and then the next statement fails
      // too.
    }
  }

 private:
  Connection& db_;
};

template <class Key>
auto credentials_job(const sqlite::Query& query, Key key) {
  return [&query, key = std::move(key)](Connection& db) -> Result<std::optional<Credentials>> {
    auto run = db.run(query, key);
    if (!run.next()) return std::nullopt;
    return Credentials{.user = record_at(run, 0),
                       .password_hash = Secret{std::string{run.text(16)}}};
  };
}

// Writes, on the writer's thread: each function is one write inside a transaction, with its rules.
// After an error the caller's savepoint undoes the changes.

std::int64_t next_of(Transaction& tx, const sqlite::Query& query) {
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

void touch_user(Transaction& tx, const User& user) {
  tx.touch(CacheKey::of(user.id).str());
  tx.touch(CacheKey::of(user.email).str());
}

bool other_admin_exists(Connection& db, UserId id) {
  auto run = db.run(sqlite_queries::kOtherAdmin, id.value());
  return run.next() && run.integer(0) != 0;
}

// Finds out which unique column caused the constraint failure. Called in the handler of the failed
// statement, under the write lock. `self`: the row that may have the values, 0 for a new one.
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

void store_update(Transaction& tx, const User& user, const std::optional<Secret>& hash) {
  std::optional<std::string_view> password;
  if (hash) password = hash->reveal();
  tx.db()
      .run(sqlite_queries::kUpdateUser, user.id.value(), user.email.text(), user.username,
           user.first_name, user.last_name, to_string(user.role), user.is_active,
           micros(user.quota_usd), user.model_capability_settings, to_micros(user.updated_at),
           user.version, user.auth_epoch, password)
      .finish();
}

std::int64_t next_epoch(Transaction& tx) {
  return next_of(tx, sqlite_queries::kNextEpoch);
}

}  // namespace

Result<User> insert_user(Transaction& tx, const NewUser& wanted, WallTime now) {
  Connection& db = tx.db();
  auto planned = rules::plan_insert(wanted, now);
  if (!planned) return planned;
  if (wanted.id && exists(db, sqlite_queries::kIdTaken, wanted.id->value())) {
    return fail(rules::id_taken());
  }
  User user = std::move(*planned);
  user.version = next_of(tx, sqlite_queries::kNextVersion);
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
  touch_user(tx, user);
  return user;
}

namespace {

// One result for each, in their order, as UserStore::insert_many() defines them.
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
  const auto current = load(db, update.id);
  if (!current) return fail(rules::no_such_user());
  auto planned = rules::plan_update(*current, update);
  if (!planned) return std::unexpected(planned.error());
  if (planned->changes_nothing) return make_record(*current);
  const UserChange& change = planned->change;
  User& user = planned->user;
  if (planned->gives_up_admin && !other_admin_exists(db, user.id)) return fail(rules::last_admin());
  if (planned->ends_sessions) user.auth_epoch = next_epoch(tx);
  user.version = next_of(tx, sqlite_queries::kNextVersion);
  user.updated_at = now;
  try {
    store_update(tx, user, change.password_hash);
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
  touch_user(tx, *current);
  touch_user(tx, user);
  return make_record(std::move(user));
}

Result<void> remove_user(Transaction& tx, const UserStore::RemoveUser& request) {
  Connection& db = tx.db();
  const auto current = load(db, request.id);
  if (!current) return fail(rules::no_such_user());
  if (auto allowed = rules::may_remove(*current, request); !allowed) return allowed;
  if (rules::is_acting_admin(*current) && !other_admin_exists(db, request.id)) {
    return fail(rules::last_admin());
  }
  // Deleting the user deletes its sessions, so their keys are touched as well.
  for (auto run = db.run(sqlite_queries::kSessionsOfUser, request.id.value()); run.next();) {
    tx.touch("session:" + std::string{run.text(0)});
  }
  db.run(sqlite_queries::kDeleteUser, request.id.value()).finish();
  touch_user(tx, *current);
  return {};
}

Result<UsageTotals> record_usage(Transaction& tx, const UsageRecord& usage, WallTime now) {
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

Result<void> end_user_sessions(Transaction& tx, UserId id) {
  if (!exists(tx.db(), sqlite_queries::kIdTaken, id.value())) {
    return fail(rules::no_such_user());
  }
  tx.db().run(sqlite_queries::kSetEpoch, id.value(), next_epoch(tx)).finish();
  tx.touch(CacheKey::of(id).str());
  return {};
}

// Touches the user's keys without changing anything.
void announce_user(Transaction& tx, UserId id) {
  tx.touch(CacheKey::of(id).str());
  if (const auto user = load(tx.db(), id)) tx.touch(CacheKey::of(user->email).str());
}

}  // namespace

Task<Result<UserReading>> SqliteUserStore::find(UserId id, ReadOptions options) {
  return db_.find<UserRecord>(sqlite_queries::kFindUser, id.value(), options.deadline, &record_at);
}

Task<Result<UserReading>> SqliteUserStore::find(Email email, ReadOptions options) {
  return db_.find<UserRecord>(sqlite_queries::kFindUserByEmail, email.text(), options.deadline,
                              &record_at);
}

Task<Result<std::vector<UserRef>>> SqliteUserStore::list(Page page, Deadline deadline) {
  using Users = std::vector<UserRef>;
  return db_.scan<Users>(deadline, [page](Connection& db) -> Result<Users> {
    Users users;
    auto run =
        db.run(sqlite_queries::kListUsers, page.after ? page.after->value() : 0, page.offset);
    while (std::ssize(users) < page.limit && run.next()) {
      if (auto user = record_if_sound(run)) users.push_back(std::move(user));
    }
    return users;
  });
}

Task<Result<std::vector<UserRef>>> SqliteUserStore::search(std::string keyword, Page page,
                                                           Deadline deadline) {
  using Users = std::vector<UserRef>;
  std::string folded = fold_for_search(keyword);
  if (folded.empty()) return list(page, deadline);
  return db_.scan<Users>(deadline,
                         [folded = std::move(folded), page](Connection& db) -> Result<Users> {
                           const ReadTransaction one_state{db};
                           Users users;
                           for (const std::int64_t id : sqlite_search::find(db, folded, page)) {
                             auto run = db.run(sqlite_queries::kLoadUser, id);
                             if (!run.next()) continue;
                             if (auto user = record_if_sound(run)) users.push_back(std::move(user));
                           }
                           return users;
                         });
}

Task<Result<std::int64_t>> SqliteUserStore::count(std::string keyword, Deadline deadline) {
  std::string folded = fold_for_search(keyword);
  return db_.scan<std::int64_t>(
      deadline, [folded = std::move(folded)](Connection& db) -> Result<std::int64_t> {
        if (!folded.empty()) return sqlite_search::count(db, folded);
        auto run = db.run(sqlite_queries::kCountUsers);
        return run.next() ? run.integer(0) : 0;
      });
}

Task<Result<bool>> SqliteUserStore::has_admin(Deadline deadline) {
  return db_.look_up<bool>(deadline, [](Connection& db) -> Result<bool> {
    auto run = db.run(sqlite_queries::kHasAdmin);
    return run.next() && run.integer(0) != 0;
  });
}

Task<Result<UserRef>> SqliteUserStore::insert(NewUser user, Deadline deadline) {
  return db_.write<UserRef>(
      deadline,
      [user = std::move(user), now = db_.clock().wall_now()](Transaction& tx) -> Result<UserRef> {
        auto inserted = insert_user(tx, user, now);
        if (!inserted) return std::unexpected(inserted.error());
        return make_record(std::move(*inserted));
      });
}

Task<Result<std::vector<Result<UserId>>>> SqliteUserStore::insert_many(InsertMany batch,
                                                                       Deadline deadline) {
  using Answers = std::vector<Result<UserId>>;
  return db_.write<Answers>(
      deadline,
      [batch = std::move(batch), now = db_.clock().wall_now()](Transaction& tx) -> Result<Answers> {
        if (batch.users.size() > rules::kMaxInsertMany) {
          return fail(ErrorCode::invalid, "too many users in one batch");
        }
        auto answers = insert_users(tx, batch.users, now);
        if (batch.rehearse) tx.discard();
        return answers;
      });
}

Task<Result<UserRef>> SqliteUserStore::update(UpdateUser update, Deadline deadline) {
  return db_.write<UserRef>(
      deadline, [update = std::move(update), now = db_.clock().wall_now()](Transaction& tx) {
        return update_user(tx, update, now);
      });
}

Task<Result<void>> SqliteUserStore::remove(RemoveUser request, Deadline deadline) {
  return db_.write<void>(deadline, [request = std::move(request)](Transaction& tx) {
    return remove_user(tx, request);
  });
}

Task<Result<UsageTotals>> SqliteUserStore::add_usage(UsageRecord usage, Deadline deadline) {
  return db_.write<UsageTotals>(
      deadline, [usage = std::move(usage), now = db_.clock().wall_now()](Transaction& tx) {
        return record_usage(tx, usage, now);
      });
}

Task<Result<std::optional<Credentials>>> SqliteUserStore::credentials(Email email,
                                                                      Deadline deadline) {
  return db_.look_up<std::optional<Credentials>>(
      deadline, credentials_job(sqlite_queries::kCredentialsByEmail, email.text()));
}

Task<Result<std::optional<Credentials>>> SqliteUserStore::credentials(UserId id,
                                                                      Deadline deadline) {
  return db_.look_up<std::optional<Credentials>>(
      deadline, credentials_job(sqlite_queries::kCredentials, id.value()));
}

Task<Result<void>> SqliteUserStore::rehash(Rehash rehash, Deadline deadline) {
  return db_.write<void>(deadline, [rehash = std::move(rehash)](Transaction& tx) -> Result<void> {
    std::optional<std::int64_t> epoch;
    {
      auto run = tx.db().run(sqlite_queries::kSetHash, rehash.id.value(), rehash.old_hash.reveal(),
                             rehash.new_hash.reveal());
      if (run.next()) epoch = run.integer(0);
    }
    // The trigger treats the new hash as a new password and changes the epoch. The password is the
    // same, so the former epoch is restored and sessions stay valid.
    if (epoch) tx.db().run(sqlite_queries::kSetEpoch, rehash.id.value(), *epoch).finish();
    return {};
  });
}

Task<Result<void>> SqliteUserStore::end_sessions(UserId id, Deadline deadline) {
  return db_.write<void>(deadline, [id](Transaction& tx) { return end_user_sessions(tx, id); });
}

Task<Result<void>> SqliteUserStore::invalidate(UserId id, Deadline deadline) {
  return db_.write<void>(deadline, [id](Transaction& tx) -> Result<void> {
    announce_user(tx, id);
    return {};
  });
}

Task<Result<std::int64_t>> SqliteUserStore::purge_usage_keys(Purge purge, Deadline deadline) {
  const auto day_ago = to_micros(purge.now - rules::kUsageKeysKept);
  return db_.write<std::int64_t>(
      deadline, [limit = purge.limit, day_ago](Transaction& tx) -> Result<std::int64_t> {
        const std::int64_t before = tx.db().total_changes();
        tx.db().run(sqlite_queries::kPurgeUsageKeys, day_ago, limit).finish();
        return tx.db().total_changes() - before;
      });
}

}  // namespace um
