// PostgresSigningKeyStore: the SigningKeyStore of a PostgreSQL database. Contract, thread safety
// and errors as in signing_key_store.hpp.
#pragma once

#include "storage/postgres/database.hpp"
#include "storage/signing_key_store.hpp"

namespace um {

class PostgresSigningKeyStore final : public SigningKeyStore {
 public:
  // Keys that verify nothing any more are listed that much longer, for people.
  static constexpr std::chrono::hours kDeadKeysListed{24 * 7};

  explicit PostgresSigningKeyStore(PostgresDatabase& database) : db_{database} {}

  Task<Result<std::vector<SigningKey>>> list(Deadline deadline) override;
  Task<Result<SigningKey>> insert_first(SigningKey key, Deadline deadline) override;
  Task<Result<void>> rotate(Rotate rotate, Deadline deadline) override;
  Task<Result<void>> revoke(Revoke revoke, Deadline deadline) override;

 private:
  PostgresDatabase& db_;
};

}  // namespace um
