#include "storage/sqlite/queries.hpp"
#include "storage/sqlite/rows.hpp"
#include "storage/sqlite/stores.hpp"

namespace um {

namespace {

using sqlite::Blob;
using sqlite::Connection;
using sqlite::Transaction;

std::optional<WallTime> time_at(const sqlite::Run& run, int column) {
  if (run.null(column)) return std::nullopt;
  return from_micros(run.integer(column));
}

SigningKey read_key(const sqlite::Run& run) {
  return {.kid = std::string{run.text(0)},
          .public_key = std::string{run.text(1)},
          .private_key = Secret{std::string{run.text(2)}},
          .created_at = from_micros(run.integer(3)),
          .retired_at = time_at(run, 4),
          .verify_until = time_at(run, 5),
          .revoked_at = time_at(run, 6)};
}

void insert(Transaction& tx, const SigningKey& key) {
  tx.db()
      .run(sqlite_queries::kInsertKey, key.kid, Blob{key.public_key},
           Blob{key.private_key.reveal()}, to_micros(key.created_at))
      .finish();
}

bool known(Transaction& tx, const std::string& kid) {
  auto run = tx.db().run(sqlite_queries::kFindKey, kid);
  return run.next();
}

}  // namespace

Task<Result<std::vector<SigningKey>>> SqliteSigningKeyStore::list(Deadline deadline) {
  using Keys = std::vector<SigningKey>;
  const std::int64_t since = to_micros(db_.clock().wall_now() - kDeadKeysListed);
  return db_.look_up<Keys>(deadline, [since](Connection& db) -> Result<Keys> {
    Keys keys;
    auto run = db.run(sqlite_queries::kListKeys, since);
    while (run.next()) keys.push_back(read_key(run));
    return keys;
  });
}

Task<Result<SigningKey>> SqliteSigningKeyStore::insert_first(SigningKey key, Deadline deadline) {
  return db_.write<SigningKey>(deadline,
                               [key = std::move(key)](Transaction& tx) -> Result<SigningKey> {
                                 auto run = tx.db().run(sqlite_queries::kSigningKey);
                                 if (run.next()) return read_key(run);
                                 if (known(tx, key.kid))
                                   return fail(ErrorCode::conflict, "this key was used before");
                                 insert(tx, key);
                                 return key;
                               });
}

Task<Result<void>> SqliteSigningKeyStore::rotate(Rotate rotate, Deadline deadline) {
  return db_.write<void>(deadline, [rotate = std::move(rotate)](Transaction& tx) -> Result<void> {
    if (known(tx, rotate.key.kid)) return fail(ErrorCode::conflict, "this key was used before");
    tx.db()
        .run(sqlite_queries::kRetireKeys, to_micros(rotate.now), to_micros(rotate.old_verify_until))
        .finish();
    insert(tx, rotate.key);
    return {};
  });
}

Task<Result<void>> SqliteSigningKeyStore::revoke(Revoke revoke, Deadline deadline) {
  return db_.write<void>(deadline, [revoke = std::move(revoke)](Transaction& tx) -> Result<void> {
    if (!known(tx, revoke.kid)) return fail(ErrorCode::not_found, "no such key");
    tx.db().run(sqlite_queries::kRevokeKey, revoke.kid, to_micros(revoke.now)).finish();
    return {};
  });
}

}  // namespace um
