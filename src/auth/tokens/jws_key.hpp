// JwsKey: one key that signs and verifies, with the algorithm that it is for.
//
// The algorithm belongs to the key and is never taken from a token, so a public key cannot be
// passed off as an HMAC secret (RFC 8725 section 3.1). Ed25519 is RFC 8032 and 8037, HS256 RFC 7518
// section 3.2. Immutable; thread safety: any.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/secret.hpp"
#include "storage/signing_key_store.hpp"

namespace um {

class JwsKey {
 public:
  static constexpr std::size_t kMinSecretBytes = 32;  // RFC 7518 section 3.2: the hash's length

  // nullptr unless the key is well formed: 32 bytes each, and the halves belong together. Without a
  // private half it verifies only.
  static std::shared_ptr<const JwsKey> ed25519(const SigningKey& key);
  struct Hs256 {
    Secret secret;
    std::string kid{};  // empty: its tokens carry none
  };
  // nullptr if the secret is shorter than kMinSecretBytes. Whether it is guessable:
  // hs256_secret.hpp.
  static std::shared_ptr<const JwsKey> hs256(Hs256 key);

  virtual ~JwsKey() = default;
  JwsKey(const JwsKey&) = delete;
  JwsKey& operator=(const JwsKey&) = delete;

  const std::string& kid() const { return kid_; }
  virtual std::string_view algorithm() const = 0;  // as `alg` names it
  virtual bool can_sign() const = 0;
  // REQUIRES: can_sign().
  virtual std::string sign(std::string_view input) const = 0;
  virtual bool verify(std::string_view input, std::string_view signature) const = 0;

 protected:
  explicit JwsKey(std::string kid) : kid_{std::move(kid)} {}

 private:
  std::string kid_;
};

// HMAC-SHA-256 (RFC 2104): 32 bytes.
std::string hmac_sha256(const Secret& key, std::string_view input);

}  // namespace um
