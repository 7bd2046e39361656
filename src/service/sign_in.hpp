// SignIn: the use cases around sessions. Thread safety: any event loop.
//
// A login reveals only whether the pair of address and password opens an active account. Unknown
// addresses, wrong passwords and disabled users take the same way: one look-up, one hash, the same
// answer. A failure of the service itself (queue full, database away) is another error and uses up
// no attempt.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "auth/attempts/attempt_limiter.hpp"
#include "auth/passwords/password_hasher.hpp"
#include "base/clock.hpp"
#include "base/counters.hpp"
#include "service/principal.hpp"
#include "storage/session_store.hpp"
#include "storage/user_store.hpp"

namespace um {

class TokenAuthority;  // auth/tokens/token_authority.hpp: signs and verifies with the keys in the
                       // database

struct LoginRequest {
  std::string email;  // as sent; a text that is no address is treated like an unknown one
  Secret password;
  std::string address;  // of the client
  std::string user_agent;
};

struct SignedIn {
  Secret token;
  std::chrono::seconds expires_in;
  UserRef user;  // with the last_login_at that this login set
};

template <class Number>
struct SignInNumbers {
  Number succeeded{};
  Number wrong{};        // unknown, wrong password or disabled: not distinguished anywhere
  Number limited{};      // refused by the limit on guessing
  Number unavailable{};  // hashing queue full, database away, deadline
  Number cancelled{};    // the client disconnected while it waited

  static constexpr auto table() {
    using N = SignInNumbers;
    constexpr MetricText kSignIns{"sign_ins_total", "Sign-ins, by outcome"};
    return std::tuple{count_of(&N::succeeded, kSignIns, {"outcome", "succeeded"}),
                      count_of(&N::wrong, kSignIns, {"outcome", "wrong"}),
                      count_of(&N::limited, kSignIns, {"outcome", "limited"}),
                      count_of(&N::unavailable, kSignIns, {"outcome", "unavailable"}),
                      count_of(&N::cancelled, kSignIns, {"outcome", "cancelled"})};
  }
};
using SignInStats = SignInNumbers<std::uint64_t>;

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
    // Bound of one call of a store, however long the deadline of the request: hashing may take
    // longer than the database may.
    std::chrono::nanoseconds store_time = std::chrono::seconds{2};
  };
  SignIn(Parts parts, Options options) : parts_{parts}, options_{options} {}

  // invalid_credentials (the same in text and time for unknown, wrong and disabled),
  // too_many_attempts, overloaded, unavailable, timeout.
  Task<Result<SignedIn>> login(LoginRequest request, Deadline deadline);

  // The caller behind a token (without "Bearer "). The token is good if its signature holds, its
  // session is stored and not expired, belongs to the user and has the user's auth_epoch, and the
  // user is active; a service token also needs the role service. authenticate_now answers if
  // everything needed is in memory, else nullopt. unauthenticated; unavailable and timeout if the
  // stores could not be asked.
  std::optional<Result<Principal>> authenticate_now(std::string_view token, BootTime now);
  Task<Result<Principal>> authenticate(std::string token, Deadline deadline);

  // Ends the caller's session; succeeds also if it has ended already.
  Task<Result<void>> logout(Principal caller, Deadline deadline);
  // Ends all of the caller's sessions, service tokens included.
  Task<Result<void>> logout_all(Principal caller, Deadline deadline);
  Task<Result<std::vector<SessionRef>>> sessions(Principal caller, Deadline deadline);
  // not_found: the caller has no such session.
  Task<Result<void>> end_session(Principal caller, SessionId session, Deadline deadline);

  SignInStats stats() const { return read_counters(counters_); }

 private:
  // A user after a correct password, with the hash that the password was checked against.
  struct Proven {
    UserRef user;
    Secret hash;
  };
  struct Attempt {
    const LoginRequest& request;
    AttemptLimiter::Place& place;
    Deadline deadline;
  };

  Task<Result<SignedIn>> try_login(const LoginRequest& request, Deadline deadline);
  Task<Result<Proven>> prove(const Attempt& attempt);
  Task<Result<SignedIn>> open_session(const Attempt& attempt, Proven& proven);
  Task<Result<CreatedSession>> create_session(const Attempt& attempt, Proven& proven);
  Task<Result<bool>> renew_hash(const Attempt& attempt, Proven& proven);
  Task<void> upgrade_hash(const LoginRequest& request, Proven proven, Deadline deadline);
  void count(const Result<SignedIn>& result);
  Deadline store_deadline(Deadline deadline) const {
    return deadline.no_later_than(Deadline::after(parts_.clock, options_.store_time).at);
  }

  Parts parts_;
  Options options_;
  SignInNumbers<Counter> counters_;
};

}  // namespace um
