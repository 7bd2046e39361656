// TokenAuthority: signs tokens and verifies them, with the keys in the database or one HS256
// secret.
//
// Invariants:
//  1. A token is accepted only if a key that verifies now signed it, with that key's algorithm, the
//     issuer is ours and it is before `exp`. (Whether its session lives is SignIn's question.)
//  2. Nothing that was learnt with an older set of keys is used after reload() published a newer
//     one.
//  3. With a staleness bound T: what is used was true at some moment not longer than T before the
//     token came. That is known from a reload or from the feed of changes; without either the keys
//     are read again first. If that fails the old keys serve for `stale_if_error` more, unless the
//     feed said that they may have been changed; then the answer is an error.
// With a secret the database's keys are neither read nor used: its tokens name no kid, and the JWK
// Set is empty, because a secret must not be published.
//
// The application calls start() before the first request, tells what the feed says of the keys, and
// calls reload() at least every 10 s. A kid that is not known causes a reload in between, at most
// once a second.
//
// Thread safety: any event loop. A verification that finds the signature remembered takes one
// shard's lock; otherwise also a shared lock for as long as it takes to copy a pointer.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/tokens/token.hpp"
#include "base/deadline.hpp"
#include "base/error.hpp"
#include "base/secret.hpp"
#include "async/task.hpp"
#include "storage/signing_key_store.hpp"

namespace um {

struct TokenAuthorityOptions {
  std::string issuer = "user-manager";
  std::optional<Secret> hs256_secret{};  // as read_hs256_secret() gave it
  // No token lives longer: for this long a retired key goes on verifying.
  std::chrono::seconds longest_token = std::chrono::days{366};
  std::size_t remembered = 65536;  // verified signatures, about 130 bytes each
  std::optional<std::chrono::nanoseconds> staleness_bound{};  // none without a feed
  std::chrono::seconds stale_if_error{0};
};

struct TokenAuthorityStats {
  std::uint64_t remembered = 0;  // verified without a signature check
  std::uint64_t checked = 0;     // signatures checked
  std::uint64_t refused = 0;     // of whatever reason
  std::uint64_t reloads = 0;
};

class TokenAuthority {
 public:
  using Options = TokenAuthorityOptions;
  // `store` and `clock` outlive it. Throws std::invalid_argument if the secret is too short.
  TokenAuthority(SigningKeyStore& store, const Clock& clock, Options options);
  ~TokenAuthority();
  TokenAuthority(const TokenAuthority&) = delete;
  TokenAuthority& operator=(const TokenAuthority&) = delete;

  // Reads the keys, and makes the first one if there is none that signs. Until it has succeeded
  // nothing is signed (unavailable) and nothing verifies.
  Task<Result<void>> start(Deadline deadline) { return reload(deadline); }
  Task<Result<void>> reload(Deadline deadline);

  // What the feed says; any thread. The keys may have been changed: nothing verifies until they
  // were read again. Or: up to `at` nobody has, since they were read or since the last call.
  void keys_changed();
  void keys_unchanged(BootTime at);

  struct Sign {
    UserId user;
    SessionId session;
    WallTime issued_at;
    WallTime expires_at;  // at most longest_token later; both are cut to whole seconds
  };
  Result<Secret> sign(const Sign& token) const;

  // unauthenticated, or nullopt if the keys must be read again first.
  std::optional<Result<TokenSubject>> verify_now(std::string_view token);
  // Waits for new keys if the kid is not known. unauthenticated; unavailable and timeout if it
  // could not be found out.
  Task<Result<TokenSubject>> verify(std::string token, Deadline deadline);

  // The JWK Set (RFC 7517) of the keys that verify now, as JSON. Never null.
  std::shared_ptr<const std::string> jwks() const;

  // For administrators. With an HS256 secret: invalid.
  Task<Result<std::string>> rotate(Deadline deadline);            // the new kid
  Task<Result<void>> revoke(std::string kid, Deadline deadline);  // not_found
  // Newest first, without their private halves.
  Task<Result<std::vector<SigningKey>>> keys(Deadline deadline);

  TokenAuthorityStats stats() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace um
