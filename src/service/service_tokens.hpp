// ServiceTokens: long-lived tokens for users with the role `service`. Each is a session of the kind
// service_token, so it ends like any other: by revocation, logout-all, a new password, disabling or
// deleting its owner, and also when its owner loses the role. Thread safety: any event loop.
#pragma once

#include <chrono>
#include <vector>

#include "base/clock.hpp"
#include "storage/session_store.hpp"
#include "storage/user_store.hpp"

namespace um {

class TokenAuthority;

class ServiceTokens {
 public:
  // A day below the longest time that a retired signing key verifies.
  static constexpr std::chrono::days kMaxTtl{365};
  static constexpr std::chrono::days kDefaultTtl{90};

  struct Parts {
    UserStore& users;
    SessionStore& sessions;
    TokenAuthority& tokens;
    const Clock& clock;
  };
  explicit ServiceTokens(Parts parts) : parts_{parts} {}

  struct Create {
    Email owner;
    std::chrono::seconds ttl = kDefaultTtl;  // 1 s to kMaxTtl
    std::string label{};  // its description in the list; at most 200 bytes of printable ASCII
  };
  struct Created {
    Secret token;  // shown once; not stored
    SessionRef session;
  };
  // invalid (ttl, label), not_found, forbidden (another role, or disabled).
  Task<Result<Created>> create(Create request, Deadline deadline);
  // Newest first. not_found.
  Task<Result<std::vector<SessionRef>>> list(Email owner, Deadline deadline);
  // not_found also if it is not a service token of this owner.
  struct Revoke {
    Email owner;
    SessionId token;
  };
  Task<Result<void>> revoke(Revoke request, Deadline deadline);

 private:
  Task<Result<UserRef>> find(Email owner, Deadline deadline);
  Parts parts_;
};

}  // namespace um
