#include "auth/passwords/password_rules.hpp"
#include "auth/tokens/token_authority.hpp"
#include "service/sign_in_impl.hpp"

namespace um {
namespace {

constexpr std::size_t kMaxUserAgentBytes = 200;

std::unexpected<Error> wrong_credentials() {
  return fail(ErrorCode::invalid_credentials, "invalid email or password");
}

// Under which name failures count. What is no address counts as well, and never meets a real
// account: those contain no line end.
std::string account_name(const LoginRequest& request, const std::optional<Email>& email) {
  if (email) return email->folded();
  return "\n" + fold_ascii(request.email.substr(0, Email::kMaxBytes));
}

// Shown to the user later; whatever is not printable ASCII cannot hide anything there.
std::string printable(std::string_view user_agent) {
  std::string text{user_agent.substr(0, kMaxUserAgentBytes)};
  for (char& c : text) {
    if (c < 0x20 || c > 0x7E) c = '?';
  }
  return text;
}

}  // namespace

Task<Result<SignedIn>> SignIn::Impl::login(LoginRequest request, Deadline deadline) {
  Result<SignedIn> result = co_await try_login(request, deadline);
  count(result);
  co_return result;
}

// The place is taken before the hash is computed, so that many logins at once are no way around the
// limit. Leaving without an outcome gives it back: who was not told whether the password was right
// has not guessed.
Task<Result<SignedIn>> SignIn::Impl::try_login(const LoginRequest& request, Deadline deadline) {
  const std::optional<Email> email = Email::parse(request.email);
  AttemptLimiter::Who who{.account = account_name(request, email), .address = request.address};
  Result<std::unique_ptr<AttemptLimiter::Place>> place =
      co_await parts_.limiter.take(std::move(who), deadline);
  if (!place) co_return fail(place.error());

  const Attempt attempt{.request = request, .place = **place, .deadline = deadline};
  Result<Proven> proven = co_await prove(attempt);
  if (!proven) co_return fail(proven.error());
  Result<SignedIn> signed_in = co_await open_session(attempt, *proven);
  if (!signed_in) co_return signed_in;
  if (parts_.hasher.needs_rehash(proven->hash)) {
    co_await upgrade_hash(request, std::move(*proven), deadline);
  }
  co_return signed_in;
}

Task<Result<SignIn::Impl::Proven>> SignIn::Impl::prove(const Attempt& attempt) {
  const std::optional<Email> email = Email::parse(attempt.request.email);
  std::optional<Credentials> stored;
  if (email) {
    Result<std::optional<Credentials>> found =
        co_await parts_.users.credentials(*email, store_deadline(attempt.deadline));
    if (!found) co_return fail(found.error());
    stored = std::move(*found);
  }
  std::optional<Secret> hash;
  // A disabled user is checked like an unknown one: a right password for a cheaper hash would be
  // refused sooner than a wrong one.
  if (stored && stored->user->user.is_active && !stored->password_hash.empty()) {
    hash = stored->password_hash;
  }
  const Result<bool> right =
      co_await parts_.hasher.verify(attempt.request.password, std::move(hash), attempt.deadline);
  if (!right) co_return fail(right.error());
  if (!*right || !stored || !stored->user->user.is_active) {
    attempt.place.failed();
    co_return wrong_credentials();
  }
  co_return Proven{.user = std::move(stored->user), .hash = std::move(stored->password_hash)};
}

// Another login may have upgraded the hash while this one computed, and then the store rightly
// finds another hash than the verified one. An upgrade keeps auth_epoch; whatever ends the right to
// sign in, a new password first of all, changes it. So if the epoch is still the one that was read
// together with the verified hash, the new hash is one of the same password, and the store compares
// with it. Once: a second time is no upgrade.
Task<Result<bool>> SignIn::Impl::renew_hash(const Attempt& attempt, Proven& proven) {
  Result<std::optional<Credentials>> found =
      co_await parts_.users.credentials(proven.user->user.id, store_deadline(attempt.deadline));
  if (!found) co_return fail(found.error());
  if (!*found) co_return false;
  Credentials& now = **found;
  const bool upgraded = now.user->user.is_active &&
                        now.user->user.auth_epoch == proven.user->user.auth_epoch &&
                        !now.password_hash.empty() && !(now.password_hash == proven.hash);
  if (upgraded) proven.hash = std::move(now.password_hash);
  co_return upgraded;
}

Task<Result<SessionRef>> SignIn::Impl::create_session(const Attempt& attempt, Proven& proven) {
  const WallTime now = parts_.clock.wall_now();
  NewSession session{.id = SessionId::random(),
                     .user_id = proven.user->user.id,
                     .kind = SessionKind::login,
                     .created_at = now,
                     .expires_at = now + options_.token_ttl,
                     .address = attempt.request.address,
                     .user_agent = printable(attempt.request.user_agent),
                     .verified_hash = proven.hash};
  Result<SessionRef> opened =
      co_await parts_.sessions.create(session, store_deadline(attempt.deadline));
  if (opened || opened.error().code != ErrorCode::invalid_credentials) co_return opened;
  const Result<bool> renewed = co_await renew_hash(attempt, proven);
  if (!renewed) co_return fail(renewed.error());
  if (!*renewed) co_return opened;
  session.verified_hash = proven.hash;
  opened = co_await parts_.sessions.create(std::move(session), store_deadline(attempt.deadline));
  co_return opened;
}

Task<Result<SignedIn>> SignIn::Impl::open_session(const Attempt& attempt, Proven& proven) {
  const Result<SessionRef> opened = co_await create_session(attempt, proven);
  if (!opened) {
    // The password was changed or the user disabled while the hash was computed.
    if (opened.error().code != ErrorCode::invalid_credentials) co_return fail(opened.error());
    attempt.place.failed();
    co_return wrong_credentials();
  }
  Result<Secret> token = parts_.tokens.sign({.user = (*opened)->user_id,
                                             .session = (*opened)->id,
                                             .issued_at = (*opened)->created_at,
                                             .expires_at = (*opened)->expires_at});
  if (!token) co_return fail(token.error());
  attempt.place.succeeded();

  // Read again for last_login_at; the older row will do if that fails.
  const ReadOptions from_primary{.from_primary = true,
                                 .deadline = store_deadline(attempt.deadline)};
  const Result<UserReading> reading =
      co_await parts_.users.find(proven.user->user.id, from_primary);
  UserRef user = proven.user;
  if (reading && reading->value) user = reading->value;
  co_return SignedIn{
      .token = std::move(*token), .expires_in = options_.token_ttl, .user = std::move(user)};
}

// The login has succeeded; whether this does changes nothing. Passwords that new hashes cannot take
// (longer than 72 bytes) keep the hash they have.
Task<void> SignIn::Impl::upgrade_hash(const LoginRequest& request, Proven proven,
                                      Deadline deadline) {
  if (request.password.empty() || request.password.reveal().size() > kMaxPasswordBytes) co_return;
  Result<Secret> hash = co_await parts_.hasher.hash(request.password, deadline);
  if (!hash) co_return;
  UserStore::Rehash rehash{
      .id = proven.user->user.id, .old_hash = std::move(proven.hash), .new_hash = std::move(*hash)};
  [[maybe_unused]] const Result<void> ignored =
      co_await parts_.users.rehash(std::move(rehash), store_deadline(deadline));
}

void SignIn::Impl::count(const Result<SignedIn>& result) {
  auto& counter = result                                                  ? counters_.succeeded
                  : result.error().code == ErrorCode::invalid_credentials ? counters_.wrong
                  : result.error().code == ErrorCode::too_many_attempts   ? counters_.limited
                  : result.error().code == ErrorCode::cancelled           ? counters_.cancelled
                                                                          : counters_.unavailable;
  counter.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace um
