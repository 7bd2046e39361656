// SqliteSigningKeyStore: the SigningKeyStore of a SQLite database. Contract, thread safety and
// errors as in signing_key_store.hpp.
#pragma once

#include "storage/signing_key_store.hpp"
#include "storage/sqlite/database.hpp"

namespace um {

class SqliteSigningKeyStore final : public SigningKeyStore {
 public:
  // Keys that verify nothing any more are listed that much longer, for people.
  static constexpr std::chrono::hours kDeadKeysListed{24 * 7};

  explicit SqliteSigningKeyStore(SqliteDatabase& database) : db_{database} {}

  Task<Result<std::vector<SigningKey>>> list(Deadline deadline) override;
  Task<Result<SigningKey>> insert_first(SigningKey key, Deadline deadline) override;
  Task<Result<void>> rotate(Rotate rotate, Deadline deadline) override;
  Task<Result<void>> revoke(Revoke revoke, Deadline deadline) override;

 private:
  SqliteDatabase& db_;
};

}  // namespace um
