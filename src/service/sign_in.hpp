// SignIn: the use cases around sessions. Thread safety: any event loop.
//
// What a login reveals: nothing but whether the pair of address and password opens an active
// account. Unknown, wrong and disabled go the same way: the address is looked up, one hash is
// computed, the answer is the same. What the service cannot find out (queue full, database away) is
// an error of its own and costs no attempt.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "auth/attempts/attempt_limiter.hpp"
#include "auth/passwords/password_hasher.hpp"
#include "base/clock.hpp"
#include "service/principal.hpp"
#include "storage/session_store.hpp"
#include "storage/user_store.hpp"

namespace um {

class TokenAuthority;  // auth/tokens/token_authority.hpp: signs and verifies with the keys in the database

struct LoginRequest {
  std::string email;  // as sent; not an address is the same as unknown
  Secret password;
  std::string address;  // of the client
  std::string user_agent;
};

struct SignedIn {
  Secret token;
  std::chrono::seconds expires_in;
  UserRef user;
};

struct SignInStats {
  std::uint64_t succeeded = 0;
  std::uint64_t wrong = 0;        // unknown, wrong password or disabled: told apart nowhere
  std::uint64_t limited = 0;      // guessing limit
  std::uint64_t unavailable = 0;  // hashing queue full, database away, deadline
  std::uint64_t cancelled = 0;    // the client went away while it waited
};

class SignIn {
 public:
  struct Parts {
    UserStore& users;
    SessionStore& sessions;
    PasswordHasher& hasher;
    AttemptLimiter& limiter;
    TokenAuthority& tokens;
    const Clock& clock;
  };
  struct Options {
    std::chrono::seconds token_ttl{std::chrono::hours{24}};
    // Bound of one call of a store, whatever the request has left: hashing may take longer than the
    // database may.
    std::chrono::nanoseconds store_time = std::chrono::seconds{2};
  };
  SignIn(Parts parts, Options options);
  ~SignIn();

  // invalid_credentials (the same in text and time for unknown, wrong and disabled),
  // too_many_attempts, overloaded, unavailable, timeout.
  Task<Result<SignedIn>> login(LoginRequest request, Deadline deadline);

  // Who sent this token (without "Bearer ")? Its signature holds, its session is stored and not
  // expired, belongs to the user and has the user's auth_epoch, and the user is active; a service
  // token also needs the role it was made for. authenticate_now answers if everything needed is in
  // memory, else nullopt. unauthenticated; unavailable and timeout if it could not be found out.
  std::optional<Result<Principal>> authenticate_now(std::string_view token, BootTime now);
  Task<Result<Principal>> authenticate(std::string token, Deadline deadline);

  // Ends this session; succeeds also if it is over already.
  Task<Result<void>> logout(Principal who, Deadline deadline);
  // Ends all of the user's sessions, service tokens included.
  Task<Result<void>> logout_all(Principal who, Deadline deadline);
  Task<Result<std::vector<SessionRef>>> sessions(Principal who, Deadline deadline);
  Task<Result<void>> end_session(Principal who, SessionId session, Deadline deadline);  // not_found

  SignInStats stats() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace um
