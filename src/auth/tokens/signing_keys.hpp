// The Ed25519 keys that tokens are signed with: making and describing them, and KeySet, the keys as
// they were read at one moment. Thread safety: any.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "auth/tokens/jws_key.hpp"
#include "base/clock.hpp"
#include "storage/signing_key_store.hpp"

namespace um {

// A new key pair from the system's random generator. Its kid does not begin with '-', so that it
// can be an argument of a command.
SigningKey make_signing_key(WallTime now);

// The `kid`: RFC 7638 thumbprint (SHA-256, base64url) of an Ed25519 public key as JWK (RFC 8037).
// REQUIRES: 32 bytes.
std::string key_thumbprint(std::string_view public_key);

// Does the key verify tokens at `now`: is it neither revoked nor retired for longer than tokens
// live?
bool verifies(const SigningKey& key, WallTime now);
// May the key sign new tokens? Of several the newest does.
bool signs(const SigningKey& key);

// The public halves as a JWK Set (RFC 7517 section 5).
std::string jwks_document(std::span<const SigningKey> keys);

// Immutable once it is published.
class KeySet {
 public:
  struct Key {
    std::shared_ptr<const JwsKey> key;
    std::optional<WallTime> verify_until{};
  };
  struct ReadAt {
    BootTime asked;  // taken before the query was sent
    WallTime now;
  };

  // No key; older than every other set.
  KeySet();
  // REQUIRES: newest first. A malformed key is left out.
  KeySet(std::span<const SigningKey> keys, ReadAt read_at);
  explicit KeySet(std::shared_ptr<const JwsKey> secret);

  const Key* find(std::string_view kid) const;
  const std::shared_ptr<const JwsKey>& signer() const { return signer_; }  // may be null
  const std::shared_ptr<const std::string>& jwks() const { return jwks_; }
  BootTime asked() const { return asked_; }
  // Do both sets have the same keys, each verifying until the same time, and the same signer?
  bool same_keys(const KeySet& other) const { return fingerprint_ == other.fingerprint_; }

  std::uint64_t generation = 0;  // see VerifiedTokens

 private:
  std::vector<Key> keys_;
  std::shared_ptr<const JwsKey> signer_;
  std::shared_ptr<const std::string> jwks_;
  std::string fingerprint_;
  BootTime asked_ = BootTime::min();
};

}  // namespace um
