#include "service/session_check.hpp"

namespace um {
namespace {

bool alive(const Session& session, const TokenSubject& subject, WallTime now) {
  return session.id == subject.session && session.user_id == subject.user &&
         now < session.expires_at;
}

// Whatever the epochs.
bool owned(const Session& session, const User& user) {
  if (user.id != session.user_id || !user.is_active) return false;
  // A token that lives for months must not grow with its owner's later roles.
  return session.kind != SessionKind::service_token || user.role == Role::service;
}

bool good_but_for_epochs(const TokenFacts& facts, WallTime now) {
  return facts.session && alive(*facts.session, facts.subject, now) && facts.user &&
         owned(*facts.session, facts.user->user);
}

}  // namespace

Outdated outdated(const TokenFacts& facts, WallTime now) {
  if (!good_but_for_epochs(facts, now)) return Outdated::none;
  const auto session = facts.session->auth_epoch;
  const auto user = facts.user->user.auth_epoch;
  if (session == user) return Outdated::none;
  return session < user ? Outdated::session : Outdated::user;
}

Result<Principal> check_session(const TokenFacts& facts, WallTime now) {
  if (!good_but_for_epochs(facts, now) ||
      facts.session->auth_epoch != facts.user->user.auth_epoch) {
    return fail(ErrorCode::unauthenticated, "the token is not valid");
  }
  return Principal{facts.user, facts.session};
}

}  // namespace um
