// SigningKeyStore: the keys that sign tokens. Few rows, read at start and when a token names an
// unknown `kid`. Thread safety and common errors as in user_store.hpp.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "async/task.hpp"
#include "base/clock.hpp"
#include "base/deadline.hpp"
#include "base/error.hpp"
#include "base/secret.hpp"

namespace um {

// An Ed25519 key pair. The newest key that is neither retired nor revoked signs. A key verifies
// until `verify_until` (of a retired key: retirement plus the longest token lifetime) unless it is
// revoked.
struct SigningKey {
  std::string kid;         // RFC 7638 thumbprint of the public key, base64url
  std::string public_key;  // 32 bytes
  Secret private_key;      // 32 bytes
  WallTime created_at{};
  std::optional<WallTime> retired_at{};
  std::optional<WallTime> verify_until{};
  std::optional<WallTime> revoked_at{};
};

class SigningKeyStore {
 public:
  virtual ~SigningKeyStore() = default;
  // Keys that verify, or did so not long ago, newest first.
  virtual Task<Result<std::vector<SigningKey>>> list(Deadline deadline) = 0;
  // Inserts `key` if no key can sign yet. Returns the key that signs, which may be another
  // instance's.
  virtual Task<Result<SigningKey>> insert_first(SigningKey key, Deadline deadline) = 0;
  // Makes `key` the signing key and retires the others, which verify until `old_verify_until`.
  struct Rotate {
    SigningKey key;
    WallTime now;
    WallTime old_verify_until;
  };
  virtual Task<Result<void>> rotate(Rotate rotate, Deadline deadline) = 0;
  // After success the key verifies nothing on any instance. not_found.
  struct Revoke {
    std::string kid;
    WallTime now;
  };
  virtual Task<Result<void>> revoke(Revoke revoke, Deadline deadline) = 0;
};

}  // namespace um
