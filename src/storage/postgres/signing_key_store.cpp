#include "storage/postgres/queries.hpp"
#include "storage/postgres/stores.hpp"
#include "user/time_text.hpp"

namespace um {

namespace {

namespace queries = postgres_queries;

pg::Params insertion_of(const SigningKey& key) {
  return pg::Params{key.kid, pg::Bytes{key.public_key}, pg::Bytes{key.private_key.reveal()},
                    time_text(key.created_at)};
}

// conflict if the kid was used before.
Task<Result<void>> insert_key(PostgresWrite& write, const SigningKey& key) {
  const auto inserted = co_await write.run(queries::kInsertKey, insertion_of(key));
  if (!inserted) co_return std::unexpected(inserted.error());
  write.is_transaction(*inserted, {});
  co_return Result<void>{};
}

// The lock lets one instance at a time decide which key signs.
Task<Result<SigningKey>> insert_if_first(PostgresWrite& write, const SigningKey& key) {
  const auto locked = co_await write.run(queries::kLockKeys);
  if (!locked) co_return std::unexpected(locked.error());
  const auto signing = co_await write.run(queries::kSigningKey);
  if (!signing) co_return std::unexpected(signing.error());
  if (!signing->empty()) co_return read_signing_key(*signing, 0);
  const auto inserted = co_await insert_key(write, key);
  if (!inserted) co_return std::unexpected(inserted.error());
  co_return key;
}

Task<Result<void>> rotate_keys(PostgresWrite& write, const SigningKeyStore::Rotate& rotate) {
  std::vector<pg::Statement> statements;
  statements.push_back({.query = &queries::kLockKeys});
  statements.push_back({.query = &queries::kRetireKeys,
                        .params = {time_text(rotate.now), time_text(rotate.old_verify_until)}});
  const auto retired = co_await write.run_all(std::move(statements));
  if (!retired) co_return std::unexpected(retired.error());
  const auto inserted = co_await insert_key(write, rotate.key);
  co_return inserted;
}

Task<Result<void>> revoke_key(PostgresWrite& write, const SigningKeyStore::Revoke& revoke) {
  const auto revoked =
      co_await write.run(queries::kRevokeKey, pg::Params{revoke.kid, time_text(revoke.now)});
  if (!revoked) co_return std::unexpected(revoked.error());
  if (revoked->empty()) co_return fail(ErrorCode::not_found, "no such key");
  write.is_transaction(*revoked, {});
  co_return Result<void>{};
}

}  // namespace

Task<Result<std::vector<SigningKey>>> PostgresSigningKeyStore::list(Deadline deadline) {
  const WallTime since = db_.clock().wall_now() - kDeadKeysListed;
  const auto rows = co_await db_.look_up(queries::kListKeys, {time_text(since)}, deadline);
  if (!rows) co_return std::unexpected(rows.error());
  std::vector<SigningKey> keys;
  for (std::size_t row = 0; row < rows->size(); ++row) {
    auto key = read_signing_key(*rows, row);
    if (!key) co_return std::unexpected(key.error());
    keys.push_back(std::move(*key));
  }
  co_return keys;
}

Task<Result<SigningKey>> PostgresSigningKeyStore::insert_first(SigningKey key, Deadline deadline) {
  const auto work = [&](PostgresWrite& write) { return insert_if_first(write, key); };
  auto signing = co_await db_.write<SigningKey>(deadline, work);
  co_return signing;
}

Task<Result<void>> PostgresSigningKeyStore::rotate(Rotate rotate, Deadline deadline) {
  const auto work = [&](PostgresWrite& write) { return rotate_keys(write, rotate); };
  auto rotated = co_await db_.write<void>(deadline, work);
  co_return rotated;
}

Task<Result<void>> PostgresSigningKeyStore::revoke(Revoke revoke, Deadline deadline) {
  const auto work = [&](PostgresWrite& write) { return revoke_key(write, revoke); };
  auto revoked = co_await db_.write<void>(deadline, work);
  co_return revoked;
}

}  // namespace um
