// Tokens: JWT (RFC 7519) in compact form (RFC 7515), signed with Ed25519 (RFC 8037) or HS256.
//
// The algorithm is fixed by the key, never by the token. Pure: no I/O, no clock. Thread safety: any.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/secret.hpp"
#include "storage/signing_key_store.hpp"
#include "user/session_id.hpp"
#include "user/user_id.hpp"

namespace um {

struct Claims {
  std::string issuer;
  UserId subject;
  SessionId session;
  std::chrono::sys_seconds issued_at;
  std::chrono::sys_seconds expires_at;
  std::string token_id;  // jti
};

}  // namespace um
