// TokenAuthority: signs tokens and verifies them, with the keys in the database or one HS256
// secret.
//
// Invariants:
//  1. A token is accepted only if a key that verifies now signed it, with that key's algorithm, its
//     issuer is ours and it is before `exp`. (Whether its session is alive is decided by SignIn.)
//  2. After reload() has published a set of keys, no verification with an older set is used.
//  3. With a staleness bound T, the keys in use were those of the database at some moment at most T
//     before the token arrived. Each reload() and each keys_unchanged() renews this trust. After T
//     without either, verify() reads the keys again first. If that read fails, the old keys verify
//     for `stale_if_error` longer, unless keys_changed() was called; then verify() returns the
//     error.
// With a secret the keys in the database are neither read nor used: tokens signed with it name no
// kid, and the JWK Set is empty, because a secret must not be published.
//
// The application calls start() before the first request, forwards the reports of the feed about
// the keys, and calls reload() at least every 10 s. An unknown kid causes a reload in between, at
// most once a second.
//
// Thread safety: any event loop. Verifying a token takes the lock of one shard. If its
// signature is not remembered, it also takes a shared lock for as long as a pointer is copied.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "async/task.hpp"
#include "auth/tokens/jws.hpp"
#include "auth/tokens/key_reloads.hpp"
#include "auth/tokens/signing_keys.hpp"
#include "auth/tokens/token.hpp"
#include "auth/tokens/verified_tokens.hpp"
#include "base/counters.hpp"
#include "base/deadline.hpp"
#include "base/error.hpp"
#include "base/secret.hpp"
#include "storage/signing_key_store.hpp"

namespace um {

struct TokenAuthorityOptions {
  std::string issuer = "user-manager";
  std::optional<Secret> hs256_secret{};  // as read_hs256_secret() returned it
  // No token lives longer, and a retired key goes on verifying for this long.
  std::chrono::seconds longest_token = std::chrono::days{366};
  std::size_t remembered = 65536;  // verified signatures, about 130 bytes each
  std::optional<std::chrono::nanoseconds> staleness_bound{};  // none without a feed
  std::chrono::seconds stale_if_error{0};
};

template <class Number>
struct TokenAuthorityNumbers {
  Number remembered{};  // verified without a signature check
  Number checked{};     // signatures checked
  Number refused{};     // for any reason
  Number reloads{};

  static constexpr auto table() {
    using N = TokenAuthorityNumbers;
    constexpr MetricText kVerifications{"token_verifications_total",
                                        "Token verifications by method"};
    return std::tuple{count_of(&N::remembered, kVerifications, {"how", "remembered"}),
                      count_of(&N::checked, kVerifications, {"how", "signature_checked"}),
                      count_of(&N::refused, kVerifications, {"how", "refused"}),
                      count_of(&N::reloads)};
  }
};
using TokenAuthorityStats = TokenAuthorityNumbers<std::uint64_t>;

class TokenAuthority {
 public:
  using Options = TokenAuthorityOptions;
  // `store` and `clock` outlive it. Throws std::invalid_argument if the secret is too short.
  TokenAuthority(SigningKeyStore& store, const Clock& clock, Options options);
  TokenAuthority(const TokenAuthority&) = delete;
  TokenAuthority& operator=(const TokenAuthority&) = delete;

  // Reads the keys, and makes the first one if none signs. Until it has succeeded nothing is signed
  // (unavailable) and nothing verifies.
  Task<Result<void>> start(Deadline deadline) { return reload(deadline); }
  Task<Result<void>> reload(Deadline deadline);

  // Reports of the feed; any thread. keys_changed(): the keys may have changed, and nothing
  // verifies until they are read again. keys_unchanged(): up to `at` the keys have not changed
  // since they were read or since the last call.
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
  // Waits for new keys if the kid is unknown. unauthenticated; unavailable and timeout if the keys
  // cannot be read.
  Task<Result<TokenSubject>> verify(std::string token, Deadline deadline);

  // The JWK Set (RFC 7517) of the keys that verify now, as JSON. Never null.
  std::shared_ptr<const std::string> jwks() const { return key_set()->jwks(); }

  // For administrators. `invalid` with an HS256 secret.
  Task<Result<std::string>> rotate(Deadline deadline);            // the new kid
  Task<Result<void>> revoke(std::string kid, Deadline deadline);  // not_found
  // Newest first, without their private halves.
  Task<Result<std::vector<SigningKey>>> keys(Deadline deadline);

  TokenAuthorityStats stats() const;

 private:
  bool has_secret() const { return options_.hs256_secret.has_value(); }
  std::shared_ptr<const KeySet> key_set() const;
  bool trusted(BootTime at, std::chrono::seconds longer = {}) const;
  void trust_from(BootTime at);
  void publish(KeySet read, std::uint64_t changes_seen);
  std::optional<Result<TokenSubject>> check(std::string_view token, BootTime arrived,
                                            std::chrono::seconds longer = {});
  std::optional<TokenSubject> verify(const Jws& jws, const KeySet::Key& key, WallTime now);
  std::unexpected<Error> refuse();

  SigningKeyStore& store_;
  const Clock& clock_;
  const Options options_;
  mutable std::shared_mutex mutex_;
  std::shared_ptr<const KeySet> keys_;                    // guarded by mutex_
  std::uint64_t changes_published_ = 0;                   // guarded by mutex_: what keys_ includes
  std::atomic<std::uint64_t> changes_{0};                 // announced; written under mutex_
  std::atomic<BootTime> trusted_until_{BootTime::max()};  // written under mutex_
  VerifiedTokens remembered_;
  KeyReloads reloads_;
  TokenAuthorityNumbers<Counter> counters_;  // `remembered` is counted by remembered_
};

}  // namespace um
