#include "service/sign_in.hpp"

#include "auth/tokens/token_authority.hpp"
#include "service/session_check.hpp"
#include "service/sign_in_impl.hpp"

namespace um {

std::optional<Result<Principal>> SignIn::Impl::authenticate_now(std::string_view token,
                                                                BootTime now) {
  const std::optional<Result<TokenSubject>> subject = parts_.tokens.verify_now(token);
  if (!subject) return std::nullopt;
  if (!*subject) return fail(subject->error());
  // Sessions, roles and is_active are never older than the guarantee, whatever the request
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

Task<Result<Principal>> SignIn::Impl::authenticate(std::string token, Deadline deadline) {
  const Result<TokenSubject> subject = co_await parts_.tokens.verify(std::move(token), deadline);
  if (!subject) co_return fail(subject.error());
  const ReadOptions fresh{.deadline = store_deadline(deadline)};
  Result<SessionReading> session = co_await parts_.sessions.find(subject->session, fresh);
  if (!session) co_return fail(session.error());
  Result<UserReading> user = co_await parts_.users.find(subject->user, fresh);
  if (!user) co_return fail(user.error());
  const TokenFacts facts{.subject = *subject, .session = session->value, .user = user->value};
  // The reading with the older epoch is replaced by one that is certainly newer. Epochs only grow,
  // and a session gets the epoch its user has at that moment: if the two agree in the end, they
  // agreed at the time of the earlier of the two reads, when the session, which is there at the
  // later one, was there as well. Twice is enough for one change between any two of the reads.
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

SignInStats SignIn::Impl::stats() const {
  return {.succeeded = counters_.succeeded.load(std::memory_order_relaxed),
          .wrong = counters_.wrong.load(std::memory_order_relaxed),
          .limited = counters_.limited.load(std::memory_order_relaxed),
          .unavailable = counters_.unavailable.load(std::memory_order_relaxed),
          .cancelled = counters_.cancelled.load(std::memory_order_relaxed)};
}

SignIn::SignIn(Parts parts, Options options) : impl_{std::make_unique<Impl>(parts, options)} {}
SignIn::~SignIn() = default;

Task<Result<SignedIn>> SignIn::login(LoginRequest request, Deadline deadline) {
  return impl_->login(std::move(request), deadline);
}

std::optional<Result<Principal>> SignIn::authenticate_now(std::string_view token, BootTime now) {
  return impl_->authenticate_now(token, now);
}

Task<Result<Principal>> SignIn::authenticate(std::string token, Deadline deadline) {
  return impl_->authenticate(std::move(token), deadline);
}

Task<Result<void>> SignIn::logout(Principal who, Deadline deadline) {
  const Result<void> ended = co_await end_session(who, who.session().id, deadline);
  if (!ended && ended.error().code == ErrorCode::not_found) co_return Result<void>{};
  co_return ended;
}

Task<Result<void>> SignIn::logout_all(Principal who, Deadline deadline) {
  const Result<void> ended =
      co_await impl_->parts().users.end_sessions(who.id(), impl_->store_deadline(deadline));
  // A user that is gone has no sessions left.
  if (!ended && ended.error().code == ErrorCode::not_found) co_return Result<void>{};
  co_return ended;
}

Task<Result<std::vector<SessionRef>>> SignIn::sessions(Principal who, Deadline deadline) {
  return impl_->parts().sessions.list(who.id(), impl_->store_deadline(deadline));
}

Task<Result<void>> SignIn::end_session(Principal who, SessionId session, Deadline deadline) {
  return impl_->parts().sessions.revoke({.id = session, .owner = who.id()},
                                        impl_->store_deadline(deadline));
}

SignInStats SignIn::stats() const {
  return impl_->stats();
}

}  // namespace um
