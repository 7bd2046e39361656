#include "storage/sqlite/user_store.hpp"

#include "storage/rules.hpp"
#include "storage/sqlite/queries.hpp"
#include "storage/sqlite/rows.hpp"
#include "storage/sqlite/search.hpp"
#include "storage/sqlite/user_writes.hpp"
#include "user/search_fold.hpp"

namespace um {

namespace {

using sqlite::Connection;
using sqlite::Transaction;

UserRef record_at(const sqlite::Run& run, int column) {
  return make_record(read_user(run, column));
}

// Null for a row that breaks the rules (another program wrote it): in a list it is left out.
UserRef record_if_sound(const sqlite::Run& run) {
  try {
    return record_at(run, 0);
  } catch (const sqlite::SqliteError&) {
    return nullptr;
  }
}

// Several statements that see one state of the database.
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
      // Ending a read can fail only together with the connection, which the next statement finds
      // out.
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
        auto inserted = sqlite_writes::insert_user(tx, user, now);
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
        auto answers = sqlite_writes::insert_users(tx, batch.users, now);
        if (batch.rehearse) tx.discard();
        return answers;
      });
}

Task<Result<UserRef>> SqliteUserStore::update(UpdateUser update, Deadline deadline) {
  return db_.write<UserRef>(
      deadline, [update = std::move(update), now = db_.clock().wall_now()](Transaction& tx) {
        return sqlite_writes::update_user(tx, update, now);
      });
}

Task<Result<void>> SqliteUserStore::remove(RemoveUser request, Deadline deadline) {
  return db_.write<void>(deadline, [request = std::move(request)](Transaction& tx) {
    return sqlite_writes::remove_user(tx, request);
  });
}

Task<Result<UsageTotals>> SqliteUserStore::add_usage(UsageRecord usage, Deadline deadline) {
  return db_.write<UsageTotals>(
      deadline, [usage = std::move(usage), now = db_.clock().wall_now()](Transaction& tx) {
        return sqlite_writes::add_usage(tx, usage, now);
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
    // To the trigger it is another program's new password. It is the same one, so everybody stays.
    if (epoch) tx.db().run(sqlite_queries::kSetEpoch, rehash.id.value(), *epoch).finish();
    return {};
  });
}

Task<Result<void>> SqliteUserStore::end_sessions(UserId id, Deadline deadline) {
  return db_.write<void>(deadline,
                         [id](Transaction& tx) { return sqlite_writes::end_sessions(tx, id); });
}

Task<Result<void>> SqliteUserStore::invalidate(UserId id, Deadline deadline) {
  return db_.write<void>(deadline, [id](Transaction& tx) -> Result<void> {
    sqlite_writes::announce(tx, id);
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
