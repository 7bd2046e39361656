#include "auth/token_authority.hpp"

#include <algorithm>
#include <shared_mutex>
#include <stdexcept>

#include "auth/jws.hpp"
#include "auth/key_reloads.hpp"
#include "auth/key_set.hpp"
#include "auth/signing_keys.hpp"
#include "auth/verified_tokens.hpp"
#include "base/random.hpp"

namespace um {

class TokenAuthority::Impl {
 public:
  Impl(SigningKeyStore& store, const Clock& clock, Options options)
      : store_{store},
        clock_{clock},
        options_{std::move(options)},
        keys_{std::make_shared<const KeySet>()},
        remembered_{options_.remembered},
        reloads_{[this](Deadline deadline) { return reload(deadline); }, clock} {
    if (!options_.hs256_secret) return;
    auto secret = JwsKey::hs256({.secret = *options_.hs256_secret});
    if (!secret) throw std::invalid_argument("the HS256 secret is shorter than 32 bytes");
    keys_ = std::make_shared<const KeySet>(std::move(secret));
  }

  bool has_secret() const { return options_.hs256_secret.has_value(); }
  const Options& options() const { return options_; }
  SigningKeyStore& store() { return store_; }
  const Clock& clock() const { return clock_; }
  KeyReloads& reloads() { return reloads_; }

  std::shared_ptr<const KeySet> keys() const {
    const std::shared_lock lock{mutex_};
    return keys_;
  }

  Task<Result<void>> reload(Deadline deadline) {
    if (has_secret()) co_return Result<void>{};
    const BootTime asked = clock_.now();
    Result<std::vector<SigningKey>> keys = co_await store_.list(deadline);
    if (!keys) co_return fail(keys.error());
    if (std::ranges::none_of(*keys, signs)) {
      const Result<SigningKey> first =
          co_await store_.insert_first(make_signing_key(clock_.wall_now()), deadline);
      if (!first) co_return fail(first.error());
      keys = co_await store_.list(deadline);
      if (!keys) co_return fail(keys.error());
    }
    publish(KeySet{*keys, {.asked = asked, .now = clock_.wall_now()}});
    reload_count_.fetch_add(1, std::memory_order_relaxed);
    co_return Result<void>{};
  }

  // nullopt: the kid is not among the keys, which were asked for before `arrived`.
  std::optional<Result<TokenSubject>> check(std::string_view token, BootTime arrived) {
    if (token.size() > kMaxTokenBytes) return refuse();
    const TokenDigest digest = digest_token(token);
    const WallTime now = clock_.wall_now();
    if (const auto known = remembered_.find(digest, now)) return Result<TokenSubject>{*known};
    const auto jws = parse_jws(token);
    if (!jws) return refuse();
    const std::shared_ptr<const KeySet> keys = this->keys();
    const KeySet::Key* key = keys->find(jws->kid);
    if (key == nullptr) {
      const bool could_be_new = !has_secret() && jws->algorithm == "EdDSA" &&
                                jws->kid.size() == kKidLength && keys->asked() < arrived;
      if (could_be_new) return std::nullopt;
      return refuse();
    }
    const auto subject = verify(*jws, *key, now);
    if (!subject) return refuse();
    WallTime until = subject->expires_at;
    if (key->verify_until) until = std::min(until, *key->verify_until);
    remembered_.insert(
        {.digest = digest, .subject = *subject, .until = until, .generation = keys->generation});
    return Result<TokenSubject>{*subject};
  }

  std::unexpected<Error> refuse() {
    refused_.fetch_add(1, std::memory_order_relaxed);
    return fail(ErrorCode::unauthenticated, "the token is not valid");
  }

  TokenAuthorityStats stats() const {
    return {.remembered = remembered_.stats().hits,
            .checked = checked_.load(std::memory_order_relaxed),
            .refused = refused_.load(std::memory_order_relaxed),
            .reloads = reload_count_.load(std::memory_order_relaxed)};
  }

 private:
  static constexpr std::size_t kKidLength = 43;  // 32 bytes in base64url

  // The claims first: they cost less than the signature.
  std::optional<TokenSubject> verify(const Jws& jws, const KeySet::Key& key, WallTime now) {
    if (key.verify_until && now >= *key.verify_until) return std::nullopt;
    const auto claims = decode_claims(jws.payload);
    if (!claims || claims->issuer != options_.issuer || now >= claims->expires_at) {
      return std::nullopt;
    }
    checked_.fetch_add(1, std::memory_order_relaxed);
    if (!verify_jws(jws, *key.key)) return std::nullopt;
    return TokenSubject{
        .user = claims->subject, .session = claims->session, .expires_at = claims->expires_at};
  }

  // Of two reloads at once the one that asked later wins.
  void publish(KeySet read) {
    const std::unique_lock lock{mutex_};
    if (read.asked() < keys_->asked()) return;
    read.generation = keys_->generation + (read.same_keys(*keys_) ? 0 : 1);
    const std::uint64_t generation = read.generation;
    keys_ = std::make_shared<const KeySet>(std::move(read));
    remembered_.start_generation(generation);
  }

  SigningKeyStore& store_;
  const Clock& clock_;
  const Options options_;
  mutable std::shared_mutex mutex_;
  std::shared_ptr<const KeySet> keys_;  // guarded by mutex_
  VerifiedTokens remembered_;
  KeyReloads reloads_;
  std::atomic<std::uint64_t> checked_{0};
  std::atomic<std::uint64_t> refused_{0};
  std::atomic<std::uint64_t> reload_count_{0};
};

TokenAuthority::TokenAuthority(SigningKeyStore& store, const Clock& clock, Options options)
    : impl_{std::make_unique<Impl>(store, clock, std::move(options))} {}
TokenAuthority::~TokenAuthority() = default;

Task<Result<void>> TokenAuthority::reload(Deadline deadline) {
  return impl_->reload(deadline);
}

Result<Secret> TokenAuthority::sign(const Sign& token) const {
  const std::shared_ptr<const KeySet> keys = impl_->keys();
  if (!keys->signer()) return fail(ErrorCode::unavailable, "there is no signing key yet");
  if (token.expires_at - token.issued_at > impl_->options().longest_token) {
    return fail(ErrorCode::invalid, "a token cannot live that long");
  }
  const Claims claims{.issuer = impl_->options().issuer,
                      .subject = token.user,
                      .session = token.session,
                      .issued_at = std::chrono::floor<std::chrono::seconds>(token.issued_at),
                      .expires_at = std::chrono::floor<std::chrono::seconds>(token.expires_at),
                      .token_id = random_hex(16)};
  return Secret{sign_jws(encode_claims(claims), *keys->signer())};
}

std::optional<Result<TokenSubject>> TokenAuthority::verify_now(std::string_view token) {
  return impl_->check(token, impl_->clock().now());
}

Task<Result<TokenSubject>> TokenAuthority::verify(std::string token, Deadline deadline) {
  const BootTime arrived = impl_->clock().now();
  for (;;) {
    const std::optional<Result<TokenSubject>> answer = impl_->check(token, arrived);
    if (answer) co_return *answer;
    const Result<void> waited = co_await impl_->reloads().next(deadline);
    if (!waited) co_return fail(waited.error());
  }
}

std::shared_ptr<const std::string> TokenAuthority::jwks() const {
  return impl_->keys()->jwks();
}

Task<Result<std::string>> TokenAuthority::rotate(Deadline deadline) {
  if (impl_->has_secret()) co_return fail(ErrorCode::invalid, "tokens are signed with a secret");
  const WallTime now = impl_->clock().wall_now();
  SigningKey key = make_signing_key(now);
  std::string kid = key.kid;
  SigningKeyStore::Rotate request{
      .key = std::move(key), .now = now, .old_verify_until = now + impl_->options().longest_token};
  const Result<void> rotated = co_await impl_->store().rotate(std::move(request), deadline);
  if (!rotated) co_return fail(rotated.error());
  const Result<void> reloaded = co_await impl_->reload(deadline);
  if (!reloaded) co_return fail(reloaded.error());
  co_return kid;
}

Task<Result<void>> TokenAuthority::revoke(std::string kid, Deadline deadline) {
  if (impl_->has_secret()) co_return fail(ErrorCode::invalid, "tokens are signed with a secret");
  SigningKeyStore::Revoke request{.kid = std::move(kid), .now = impl_->clock().wall_now()};
  const Result<void> revoked = co_await impl_->store().revoke(std::move(request), deadline);
  if (!revoked) co_return fail(revoked.error());
  const Result<void> reloaded = co_await impl_->reload(deadline);
  co_return reloaded;
}

Task<Result<std::vector<SigningKey>>> TokenAuthority::keys(Deadline deadline) {
  Result<std::vector<SigningKey>> keys = co_await impl_->store().list(deadline);
  if (keys) {
    for (SigningKey& key : *keys) key.private_key = {};
  }
  co_return keys;
}

TokenAuthorityStats TokenAuthority::stats() const {
  return impl_->stats();
}

}  // namespace um
