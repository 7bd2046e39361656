// Whether a session that was read makes its token good. Pure; thread safety: any.
#pragma once

#include "auth/tokens/token.hpp"
#include "base/error.hpp"
#include "service/principal.hpp"

namespace um {

// What was read for a token; null: there is no such thing.
struct TokenFacts {
  const TokenSubject& subject;
  const SessionRef& session;
  const UserRef& user;
};

// Which of the two readings stands in the way: all is well but for the epochs, and this one has the
// older. Readings of two statements may fall on either side of a password change that keeps the
// session, which moves both to a new epoch at once.
enum class Outdated { none, session, user };
Outdated outdated(const TokenFacts& facts, WallTime now);

// unauthenticated, with the same words whatever the reason.
Result<Principal> check_session(const TokenFacts& facts, WallTime now);

}  // namespace um
