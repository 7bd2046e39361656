// KeySet: the keys as they were read at one moment, ready for use. Immutable; thread safety: any.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "auth/tokens/jws_key.hpp"
#include "base/clock.hpp"

namespace um {

class KeySet {
 public:
  struct Key {
    std::shared_ptr<const JwsKey> key;
    std::optional<WallTime> verify_until{};
  };
  struct ReadAt {
    BootTime asked;  // before the question went to the database
    WallTime now;
  };

  // Knows no key; older than everything.
  KeySet();
  // REQUIRES: newest first. A malformed key is left out.
  KeySet(std::span<const SigningKey> keys, ReadAt read_at);
  explicit KeySet(std::shared_ptr<const JwsKey> secret);

  const Key* find(std::string_view kid) const;
  const std::shared_ptr<const JwsKey>& signer() const { return signer_; }  // may be null
  const std::shared_ptr<const std::string>& jwks() const { return jwks_; }
  BootTime asked() const { return asked_; }
  // Does every key verify in both, for the same time, and sign in both or in neither?
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
