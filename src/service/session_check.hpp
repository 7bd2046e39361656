// Whether a session that was read makes its token good. Pure; thread safety: any.
#pragma once

#include "auth/token.hpp"
#include "base/error.hpp"
#include "service/principal.hpp"

namespace um {

// What was read for a token; null: there is no such thing.
struct TokenFacts {
  const TokenSubject& subject;
  const SessionRef& session;
  const UserRef& user;
};

// unauthenticated, with the same words whatever the reason.
Result<Principal> check_session(const TokenFacts& facts, WallTime now);

}  // namespace um
