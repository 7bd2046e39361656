#include "service/session_check.hpp"

namespace um {
namespace {

bool alive(const Session& session, const TokenSubject& subject, WallTime now) {
  return session.id == subject.session && session.user_id == subject.user &&
         now < session.expires_at;
}

bool owned(const Session& session, const User& user) {
  if (user.id != session.user_id || !user.is_active || user.auth_epoch != session.auth_epoch) {
    return false;
  }
  // A token that lives for months must not grow with its owner's later roles.
  return session.kind != SessionKind::service_token || user.role == Role::service;
}

}  // namespace

Result<Principal> check_session(const TokenFacts& facts, WallTime now) {
  if (!facts.session || !alive(*facts.session, facts.subject, now) || !facts.user ||
      !owned(*facts.session, facts.user->user)) {
    return fail(ErrorCode::unauthenticated, "the token is not valid");
  }
  return Principal{facts.user, facts.session};
}

}  // namespace um
