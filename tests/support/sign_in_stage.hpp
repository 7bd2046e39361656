// The fixture of the tests of sign-in: the real parts of auth over stores in memory.
#pragma once

#include "auth/attempts/local_attempt_limiter.hpp"
#include "auth/passwords/bcrypt.hpp"
#include "auth/passwords/password_hasher.hpp"
#include "auth/tokens/token_authority.hpp"
#include "service/service_tokens.hpp"
#include "service/sign_in.hpp"
#include "storage/testing/memory_stores.hpp"
#include "support/run_task.hpp"

namespace um {

struct SignInStage {
  static constexpr const char* kPassword = "correct horse";

  SignInStage() {
    if (!test::run(tokens.start(never()))) throw std::logic_error("the token authority must start");
  }

  struct As {
    std::optional<std::string> password = kPassword;  // nullopt: cannot sign in
    std::optional<std::string> hash{};                // instead of one made from the password
    int cost = 4;
    bool active = true;
    Role role = Role::user;
  };
  UserRef add(const std::string& email) { return add(email, As{}); }
  UserRef add(const std::string& email, const As& as) {
    NewUser user{.email = *Email::parse(email)};
    user.is_active = as.active;
    user.role = as.role;
    if (as.hash) {
      user.password_hash = Secret{*as.hash};
    } else if (as.password) {
      user.password_hash = *bcrypt::hash(Secret{*as.password}, as.cost);
    }
    return users.add(std::move(user));
  }

  static Deadline never() { return Deadline::never(); }
  static LoginRequest login_request(const std::string& email, const std::string& password) {
    return {
        .email = email, .password = Secret{password}, .address = "192.0.2.1", .user_agent = "test"};
  }
  std::optional<SignedIn> last_login;  // by the last login()
  Result<void> login(const std::string& email, const std::string& password) {
    auto result = test::run(may_fail(sign_in.login(login_request(email, password), never())));
    if (!*result) return fail(result->error());
    last_login = std::move(**result);
    return {};
  }
  std::string token_of(const std::string& email) {
    if (!login(email, kPassword)) throw std::logic_error("the login must succeed");
    return std::string{last_login->token.reveal()};
  }
  // The owner of a token, according to the stores.
  Result<Principal> who(const std::string& token) {
    return *test::run(may_fail(sign_in.authenticate(token, never())));
  }

  // run() wants something that can be made from nothing.
  template <class T>
  static Task<std::optional<Result<T>>> may_fail(Task<Result<T>> task) {
    Result<T> result = co_await std::move(task);
    co_return std::optional<Result<T>>{std::move(result)};
  }

  ManualClock clock;
  test::MemoryUserStore users{clock};
  test::MemorySessionStore sessions{users, clock};
  test::MemorySigningKeyStore keys;
  PasswordHasher hasher{{.cost = 4, .threads = 1, .queue = 10}, clock};
  LocalAttemptLimiter limiter{{}, clock};
  TokenAuthority tokens{keys, clock, {}};
  SignIn sign_in{{users, sessions, hasher, limiter, tokens, clock}, {}};
  ServiceTokens service_tokens{{users, sessions, tokens, clock}};
};

}  // namespace um
