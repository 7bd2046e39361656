// SigningKeyStore: the keys that tokens are signed with. Few rows, read at start and when an
// unknown `kid` appears. Thread safety and common errors as in user_store.hpp.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/deadline.hpp"
#include "base/error.hpp"
#include "base/secret.hpp"
#include "async/task.hpp"

namespace um {

// An Ed25519 key pair. It signs while it is the newest that is neither retired nor revoked; it
// verifies until `verify_until` (a retired key: retirement plus the longest token lifetime) unless
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
  // All keys that are not long dead, newest first.
  virtual Task<Result<std::vector<SigningKey>>> list(Deadline deadline) = 0;
  // Inserts `key` only if there is no usable key yet; answers the one that signs (another
  // instance's, if that was faster).
  virtual Task<Result<SigningKey>> insert_first(SigningKey key, Deadline deadline) = 0;
  // Makes `key` the signing key and retires the others, which verify until `old_verify_until`.
  struct Rotate {
    SigningKey key;
    WallTime now;
    WallTime old_verify_until;
  };
  virtual Task<Result<void>> rotate(Rotate rotate, Deadline deadline) = 0;
  // not_found. The key verifies nothing from now on, on every instance.
  struct Revoke {
    std::string kid;
    WallTime now;
  };
  virtual Task<Result<void>> revoke(Revoke revoke, Deadline deadline) = 0;
};

}  // namespace um
