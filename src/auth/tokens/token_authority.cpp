#include "auth/tokens/token_authority.hpp"

#include <algorithm>
#include <mutex>
#include <stdexcept>

#include <fmt/format.h>

#include "base/random.hpp"

namespace um {
namespace {

constexpr std::size_t kKidLength = 43;  // 32 bytes in base64url

}  // namespace

TokenAuthority::TokenAuthority(SigningKeyStore& store, const Clock& clock, Options options)
    : store_{store},
      clock_{clock},
      options_{std::move(options)},
      keys_{std::make_shared<const KeySet>()},
      remembered_{options_.remembered},
      reloads_{[this](Deadline deadline) { return reload(deadline); }, clock} {
  if (options_.staleness_bound && !has_secret()) trusted_until_ = BootTime::min();
  if (!has_secret()) return;
  auto secret = JwsKey::hs256({.secret = *options_.hs256_secret});
  if (!secret)
    throw std::invalid_argument(
        fmt::format("the HS256 secret is shorter than {} bytes", JwsKey::kMinSecretBytes));
  keys_ = std::make_shared<const KeySet>(std::move(secret));
}

std::shared_ptr<const KeySet> TokenAuthority::key_set() const {
  const std::shared_lock lock{mutex_};
  return keys_;
}

Task<Result<void>> TokenAuthority::reload(Deadline deadline) {
  if (has_secret()) co_return Result<void>{};
  const BootTime asked = clock_.now();
  const std::uint64_t changes_seen = changes_.load(std::memory_order_acquire);
  Result<std::vector<SigningKey>> keys = co_await store_.list(deadline);
  if (!keys) co_return fail(keys.error());
  if (std::ranges::none_of(*keys, signs)) {
    const Result<SigningKey> first =
        co_await store_.insert_first(make_signing_key(clock_.wall_now()), deadline);
    if (!first) co_return fail(first.error());
    keys = co_await store_.list(deadline);
    if (!keys) co_return fail(keys.error());
  }
  publish(KeySet{*keys, {.asked = asked, .now = clock_.wall_now()}}, changes_seen);
  counters_.reloads.add();
  co_return Result<void>{};
}

// Of two concurrent reloads the one that asked later wins. `changes_seen`: how many changes had
// been announced when this reload asked.
void TokenAuthority::publish(KeySet read, std::uint64_t changes_seen) {
  const std::unique_lock lock{mutex_};
  if (read.asked() < keys_->asked()) return;
  const BootTime asked = read.asked();
  read.generation = keys_->generation + (read.same_keys(*keys_) ? 0 : 1);
  const std::uint64_t generation = read.generation;
  keys_ = std::make_shared<const KeySet>(std::move(read));
  remembered_.start_generation(generation);
  changes_published_ = changes_seen;
  if (changes_seen == changes_.load(std::memory_order_relaxed)) trust_from(asked);
}

// REQUIRES mutex_, and that the keys are those of the database at this moment.
void TokenAuthority::trust_from(BootTime at) {
  const BootTime until =
      options_.staleness_bound ? at + *options_.staleness_bound : BootTime::max();
  if (until > trusted_until_.load(std::memory_order_relaxed))
    trusted_until_.store(until, std::memory_order_release);
}

void TokenAuthority::keys_changed() {
  if (has_secret()) return;
  const std::unique_lock lock{mutex_};
  changes_.fetch_add(1, std::memory_order_release);
  trusted_until_.store(BootTime::min(), std::memory_order_release);
}

void TokenAuthority::keys_unchanged(BootTime at) {
  if (has_secret()) return;
  const std::unique_lock lock{mutex_};
  if (changes_published_ == changes_.load(std::memory_order_relaxed)) trust_from(at);
}

// Whether the keys may be used at `at`. `longer` extends the staleness bound; it never applies to
// keys with an announced change.
bool TokenAuthority::trusted(BootTime at, std::chrono::seconds longer) const {
  const BootTime until = trusted_until_.load(std::memory_order_acquire);
  return at < until || (until != BootTime::min() && at - until < longer);
}

Result<Secret> TokenAuthority::sign(const Sign& token) const {
  const std::shared_ptr<const KeySet> keys = key_set();
  if (!keys->signer()) return fail(ErrorCode::unavailable, "there is no signing key yet");
  if (token.expires_at - token.issued_at > options_.longest_token) {
    return fail(ErrorCode::invalid, "a token cannot live that long");
  }
  const Claims claims{.issuer = options_.issuer,
                      .subject = token.user,
                      .session = token.session,
                      .issued_at = std::chrono::floor<std::chrono::seconds>(token.issued_at),
                      .expires_at = std::chrono::floor<std::chrono::seconds>(token.expires_at),
                      .token_id = random_hex(16)};
  return Secret{sign_jws(encode_claims(claims), *keys->signer())};
}

// nullopt: the keys are not trusted any more, or the kid is not among them and they were read
// before `arrived`.
std::optional<Result<TokenSubject>> TokenAuthority::check(std::string_view token, BootTime arrived,
                                                          std::chrono::seconds longer) {
  if (token.size() > kMaxTokenBytes) return refuse();
  if (!trusted(arrived, longer)) return std::nullopt;
  const TokenDigest digest = digest_token(token);
  const WallTime now = clock_.wall_now();
  if (const auto known = remembered_.find(digest, now)) return Result<TokenSubject>{*known};
  const auto jws = parse_jws(token);
  if (!jws) return refuse();
  const std::shared_ptr<const KeySet> keys = key_set();
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

// The claims are checked before the signature, because they cost less.
std::optional<TokenSubject> TokenAuthority::verify(const Jws& jws, const KeySet::Key& key,
                                                   WallTime now) {
  if (key.verify_until && now >= *key.verify_until) return std::nullopt;
  const auto claims = decode_claims(jws.payload);
  if (!claims || claims->issuer != options_.issuer || now >= claims->expires_at) {
    return std::nullopt;
  }
  counters_.checked.add();
  if (!verify_jws(jws, *key.key)) return std::nullopt;
  return TokenSubject{
      .user = claims->subject, .session = claims->session, .expires_at = claims->expires_at};
}

std::unexpected<Error> TokenAuthority::refuse() {
  counters_.refused.add();
  return fail(ErrorCode::unauthenticated, "the token is not valid");
}

std::optional<Result<TokenSubject>> TokenAuthority::verify_now(std::string_view token) {
  return check(token, clock_.now());
}

Task<Result<TokenSubject>> TokenAuthority::verify(std::string token, Deadline deadline) {
  const BootTime arrived = clock_.now();
  for (;;) {
    const std::optional<Result<TokenSubject>> answer = check(token, arrived);
    if (answer) co_return *answer;
    const bool is_trusted = trusted(arrived);
    const auto pace = is_trusted ? KeyReloads::Pace::with_pauses : KeyReloads::Pace::at_once;
    const Result<void> waited = co_await reloads_.next(pace, deadline);
    if (waited) continue;
    // A client that invents kids does not learn that the database is slow.
    if (is_trusted && waited.error().code == ErrorCode::overloaded)
      co_return fail(ErrorCode::unauthenticated, "the token's key is not known");
    const std::optional<Result<TokenSubject>> old = check(token, arrived, options_.stale_if_error);
    if (old) co_return *old;
    co_return fail(waited.error());
  }
}

Task<Result<std::string>> TokenAuthority::rotate(Deadline deadline) {
  if (has_secret()) co_return fail(ErrorCode::invalid, "tokens are signed with a secret");
  const WallTime now = clock_.wall_now();
  SigningKey key = make_signing_key(now);
  std::string kid = key.kid;
  SigningKeyStore::Rotate request{
      .key = std::move(key), .now = now, .old_verify_until = now + options_.longest_token};
  const Result<void> rotated = co_await store_.rotate(std::move(request), deadline);
  if (!rotated) co_return fail(rotated.error());
  const Result<void> reloaded = co_await reload(deadline);
  if (!reloaded) co_return fail(reloaded.error());
  co_return kid;
}

Task<Result<void>> TokenAuthority::revoke(std::string kid, Deadline deadline) {
  if (has_secret()) co_return fail(ErrorCode::invalid, "tokens are signed with a secret");
  SigningKeyStore::Revoke request{.kid = std::move(kid), .now = clock_.wall_now()};
  const Result<void> revoked = co_await store_.revoke(std::move(request), deadline);
  if (!revoked) co_return fail(revoked.error());
  const Result<void> reloaded = co_await reload(deadline);
  co_return reloaded;
}

Task<Result<std::vector<SigningKey>>> TokenAuthority::keys(Deadline deadline) {
  Result<std::vector<SigningKey>> keys = co_await store_.list(deadline);
  if (keys) {
    for (SigningKey& key : *keys) key.private_key = {};
  }
  co_return keys;
}

TokenAuthorityStats TokenAuthority::stats() const {
  TokenAuthorityStats stats = read_counters(counters_);
  stats.remembered = remembered_.stats().hits;
  return stats;
}

}  // namespace um
