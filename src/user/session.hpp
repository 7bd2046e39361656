// Session: one sign-in, or one long-lived token of a service. It is alive while it is stored, not
// expired, and carries the auth_epoch of its user.
#pragma once

#include <memory>
#include <string>

#include "base/clock.hpp"
#include "user/session_id.hpp"
#include "user/user_id.hpp"

namespace um {

enum class SessionKind { login, service_token };

struct Session {
  SessionId id;
  UserId user_id;
  std::int64_t auth_epoch = 0;
  SessionKind kind = SessionKind::login;
  WallTime created_at{};
  WallTime expires_at{};
  std::string address{};     // of the client that signed in
  std::string user_agent{};  // as sent, at most 200 bytes
};
using SessionRef = std::shared_ptr<const Session>;

}  // namespace um
