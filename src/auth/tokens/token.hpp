// Tokens: JWT (RFC 7519) in compact form (RFC 7515), signed with Ed25519 (RFC 8037) or HS256.
//
// The algorithm is fixed by the key, never by the token. Pure: no I/O, no clock. Thread safety:
// any.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "user/session.hpp"
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

// The claims of a verified token that a request needs.
struct TokenSubject {
  UserId user;
  SessionId session;
  std::chrono::sys_seconds expires_at;
  bool operator==(const TokenSubject&) const = default;
};

// The claims as the JSON of a token's payload.
std::string encode_claims(const Claims& claims);
// nullopt unless all six are there, of the right type and in range (0 <= iat <= exp < year 10000).
// Further scalar members are ignored.
std::optional<Claims> decode_claims(std::string_view json);

}  // namespace um
