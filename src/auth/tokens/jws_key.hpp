// JwsKey: one key that signs and verifies, with the algorithm that it is for.
//
// The algorithm belongs to the key and is never taken from a token, so a public key cannot be
// passed off as an HMAC secret (RFC 8725, section 3.1). Ed25519 is RFC 8032 and 8037, HS256 RFC
// 7518, section 3.2. Immutable; thread safety: any.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/secret.hpp"
#include "storage/signing_key_store.hpp"

namespace um {

class JwsKey {
 public:
  static constexpr std::size_t kMinSecretBytes = 32;  // RFC 7518, section 3.2: the hash's length

  // nullptr unless the key is well formed: 32 bytes each, and the halves belong together. Without a
  // private half it verifies only.
  static std::shared_ptr<const JwsKey> ed25519(const SigningKey& key);
  struct Hs256 {
    Secret secret;
    std::string kid{};  // empty: its tokens carry none
  };
  // nullptr if the secret is shorter than kMinSecretBytes.
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

// The HS256 secret in a file with this content; one line end at the end is not part of it. A
// guessed secret signs tokens for any user, offline, so `invalid` if the secret has fewer than 32
// bytes, or fewer than 32 besides well-known placeholders ("secret-key", …). The detail never shows
// the secret.
Result<Secret> read_hs256_secret(const Secret& file);

}  // namespace um
