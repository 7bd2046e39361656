#include "service/sign_in.hpp"

#include <algorithm>

#include "auth/passwords/password_rules.hpp"
#include "auth/tokens/token_authority.hpp"

namespace um {
namespace {

constexpr std::size_t kMaxUserAgentBytes = 200;

std::unexpected<Error> wrong_credentials() {
  return fail(ErrorCode::invalid_credentials, "invalid email or password");
}

// The name under which failures count. Text that is no address counts as well, and never under the
// name of a real account: addresses contain no line end.
std::string account_name(const LoginRequest& request, const std::optional<Email>& email) {
  if (email) return email->folded();
  return "\n" + fold_ascii(request.email.substr(0, Email::kMaxBytes));
}

// Shown to the user later: other bytes than printable ASCII could hide something there.
std::string printable_ascii(std::string_view user_agent) {
  std::string text{user_agent.substr(0, kMaxUserAgentBytes)};
  std::ranges::replace_if(text, [](char c) { return c < 0x20 || c > 0x7E; }, '?');
  return text;
}

// The rows that were read for a token; null: the row does not exist.
struct TokenFacts {
  const TokenSubject& subject;
  const SessionRef& session;
  const UserRef& user;
};

// Everything but the comparison of the epochs.
bool good_but_for_epochs(const TokenFacts& facts, WallTime now) {
  if (!facts.session || !facts.user) return false;
  const Session& session = *facts.session;
  const User& user = facts.user->user;
  if (session.id != facts.subject.session || session.user_id != facts.subject.user) return false;
  if (now >= session.expires_at || user.id != session.user_id || !user.is_active) return false;
  // A token that lives for months must not gain from roles that its owner gets later.
  return session.kind != SessionKind::service_token || user.role == Role::service;
}

// The reading that has the older epoch, if only the epochs differ. The two readings are two
// statements, and a password change that keeps the session moves session and user to a new epoch at
// once: it may fall between them.
enum class Outdated { none, session, user };
Outdated outdated(const TokenFacts& facts, WallTime now) {
  if (!good_but_for_epochs(facts, now)) return Outdated::none;
  const auto session = facts.session->auth_epoch;
  const auto user = facts.user->user.auth_epoch;
  if (session == user) return Outdated::none;
  return session < user ? Outdated::session : Outdated::user;
}

// unauthenticated, with the same words for every reason.
Result<Principal> check_session(const TokenFacts& facts, WallTime now) {
  if (!good_but_for_epochs(facts, now) ||
      facts.session->auth_epoch != facts.user->user.auth_epoch) {
    return fail(ErrorCode::unauthenticated, "the token is not valid");
  }
  return Principal{facts.user, facts.session};
}

}  // namespace

Task<Result<SignedIn>> SignIn::login(LoginRequest request, Deadline deadline) {
  Result<SignedIn> result = co_await try_login(request, deadline);
  count(result);
  co_return result;
}

// The place is taken before the hash is computed, so that many logins at once cannot exceed the
// limit. A place without an outcome is given back: a client that got no answer about the password
// has not guessed.
Task<Result<SignedIn>> SignIn::try_login(const LoginRequest& request, Deadline deadline) {
  const std::optional<Email> email = Email::parse(request.email);
  AttemptLimiter::Subject subject{.account = account_name(request, email),
                                  .address = request.address};
  Result<std::unique_ptr<AttemptLimiter::Place>> place =
      co_await parts_.limiter.take(std::move(subject), deadline);
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

Task<Result<SignIn::Proven>> SignIn::prove(const Attempt& attempt) {
  const std::optional<Email> email = Email::parse(attempt.request.email);
  std::optional<Credentials> stored;
  if (email) {
    Result<std::optional<Credentials>> found =
        co_await parts_.users.credentials(*email, store_deadline(attempt.deadline));
    if (!found) co_return fail(found.error());
    stored = std::move(*found);
  }
  std::optional<Secret> hash;
  // A disabled user is checked like an unknown one: the right password for a cheaper hash would be
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

// Another login may have upgraded the hash while this one computed: the store then finds another
// hash than the verified one. An upgrade keeps auth_epoch; every change that ends the right to sign
// in, such as a new password, moves it. So if the epoch is still the one that was read together
// with the verified hash, the stored hash belongs to the same password, and the session is created
// with it. Only once: hashes are upgraded once.
Task<Result<bool>> SignIn::renew_hash(const Attempt& attempt, Proven& proven) {
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

Task<Result<CreatedSession>> SignIn::create_session(const Attempt& attempt, Proven& proven) {
  const WallTime now = parts_.clock.wall_now();
  NewSession session{.id = SessionId::random(),
                     .user_id = proven.user->user.id,
                     .kind = SessionKind::login,
                     .created_at = now,
                     .expires_at = now + options_.token_ttl,
                     .address = attempt.request.address,
                     .user_agent = printable_ascii(attempt.request.user_agent),
                     .verified_hash = proven.hash};
  Result<CreatedSession> opened =
      co_await parts_.sessions.create(session, store_deadline(attempt.deadline));
  if (opened || opened.error().code != ErrorCode::invalid_credentials) co_return opened;
  const Result<bool> renewed = co_await renew_hash(attempt, proven);
  if (!renewed) co_return fail(renewed.error());
  if (!*renewed) co_return opened;
  session.verified_hash = proven.hash;
  opened = co_await parts_.sessions.create(std::move(session), store_deadline(attempt.deadline));
  co_return opened;
}

Task<Result<SignedIn>> SignIn::open_session(const Attempt& attempt, Proven& proven) {
  Result<CreatedSession> opened = co_await create_session(attempt, proven);
  if (!opened) {
    // The password was changed or the user disabled while the hash was computed.
    if (opened.error().code != ErrorCode::invalid_credentials) co_return fail(opened.error());
    attempt.place.failed();
    co_return wrong_credentials();
  }
  const Session& session = *opened->session;
  Result<Secret> token = parts_.tokens.sign({.user = session.user_id,
                                             .session = session.id,
                                             .issued_at = session.created_at,
                                             .expires_at = session.expires_at});
  if (!token) co_return fail(token.error());
  attempt.place.succeeded();
  co_return SignedIn{.token = std::move(*token),
                     .expires_in = options_.token_ttl,
                     .user = std::move(opened->user)};
}

// The login has succeeded whether or not this does. A password that new hashes cannot take (longer
// than 72 bytes) keeps its hash.
Task<void> SignIn::upgrade_hash(const LoginRequest& request, Proven proven, Deadline deadline) {
  if (request.password.empty() || request.password.reveal().size() > kMaxPasswordBytes) co_return;
  Result<Secret> hash = co_await parts_.hasher.hash(request.password, deadline);
  if (!hash) co_return;
  UserStore::Rehash rehash{
      .id = proven.user->user.id, .old_hash = std::move(proven.hash), .new_hash = std::move(*hash)};
  [[maybe_unused]] const Result<void> ignored =
      co_await parts_.users.rehash(std::move(rehash), store_deadline(deadline));
}

void SignIn::count(const Result<SignedIn>& result) {
  auto& counter = result                                                  ? counters_.succeeded
                  : result.error().code == ErrorCode::invalid_credentials ? counters_.wrong
                  : result.error().code == ErrorCode::too_many_attempts   ? counters_.limited
                  : result.error().code == ErrorCode::cancelled           ? counters_.cancelled
                                                                          : counters_.unavailable;
  counter.add();
}

std::optional<Result<Principal>> SignIn::authenticate_now(std::string_view token, BootTime now) {
  const std::optional<Result<TokenSubject>> subject = parts_.tokens.verify_now(token);
  if (!subject) return std::nullopt;
  if (!*subject) return fail(subject->error());
  // Sessions, roles and is_active are never older than the staleness bound, whatever the request
  // tolerates.
  const ReadOptions fresh{};
  const auto session = parts_.sessions.find_now((*subject)->session, fresh, now);
  if (!session) return std::nullopt;
  const auto user = parts_.users.find_now((*subject)->user, fresh, now);
  if (!user) return std::nullopt;
  const TokenFacts facts{.subject = **subject, .session = session->value, .user = user->value};
  const WallTime wall = parts_.clock.wall_now();
  if (outdated(facts, wall) != Outdated::none) return std::nullopt;
  return check_session(facts, wall);
}

Task<Result<Principal>> SignIn::authenticate(std::string token, Deadline deadline) {
  const Result<TokenSubject> subject = co_await parts_.tokens.verify(std::move(token), deadline);
  if (!subject) co_return fail(subject.error());
  const ReadOptions fresh{.deadline = store_deadline(deadline)};
  Result<SessionReading> session = co_await parts_.sessions.find(subject->session, fresh);
  if (!session) co_return fail(session.error());
  Result<UserReading> user = co_await parts_.users.find(subject->user, fresh);
  if (!user) co_return fail(user.error());
  const TokenFacts facts{.subject = *subject, .session = session->value, .user = user->value};
  // The reading with the older epoch is replaced by one from the primary. Epochs only grow, and a
  // session gets the epoch that its user has at that moment. So if the two readings agree in the
  // end, session and user agreed at the time of the earlier one, when the session existed already.
  // Each reading is replaced at most once: that covers one change between any two of the reads.
  const ReadOptions from_primary{.from_primary = true, .deadline = store_deadline(deadline)};
  if (outdated(facts, parts_.clock.wall_now()) == Outdated::session) {
    session = co_await parts_.sessions.find(subject->session, from_primary);
    if (!session) co_return fail(session.error());
  }
  if (outdated(facts, parts_.clock.wall_now()) == Outdated::user) {
    user = co_await parts_.users.find(subject->user, from_primary);
    if (!user) co_return fail(user.error());
  }
  co_return check_session(facts, parts_.clock.wall_now());
}

Task<Result<void>> SignIn::logout(Principal caller, Deadline deadline) {
  const Result<void> ended = co_await end_session(caller, caller.session().id, deadline);
  if (!ended && ended.error().code == ErrorCode::not_found) co_return Result<void>{};
  co_return ended;
}

Task<Result<void>> SignIn::logout_all(Principal caller, Deadline deadline) {
  const Result<void> ended =
      co_await parts_.users.end_sessions(caller.id(), store_deadline(deadline));
  // A deleted user has no sessions left.
  if (!ended && ended.error().code == ErrorCode::not_found) co_return Result<void>{};
  co_return ended;
}

Task<Result<std::vector<SessionRef>>> SignIn::sessions(Principal caller, Deadline deadline) {
  return parts_.sessions.list(caller.id(), store_deadline(deadline));
}

Task<Result<void>> SignIn::end_session(Principal caller, SessionId session, Deadline deadline) {
  return parts_.sessions.revoke({.id = session, .owner = caller.id()}, store_deadline(deadline));
}

}  // namespace um
