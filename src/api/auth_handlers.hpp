// Handlers of signing in and out, and of sessions. Thread safety: any event loop; no state of its
// own.
#pragma once

#include "api/call.hpp"
#include "api/client_address.hpp"
#include "service/sign_in.hpp"

namespace um::api {

class AuthHandlers {
 public:
  // `proxies` outlives the handlers.
  AuthHandlers(SignIn& sign_in, const TrustedProxies& proxies)
      : sign_in_{sign_in}, proxies_{proxies} {}

  Task<Answer> login(Call& call);
  Task<Answer> logout(Call& call);
  Task<Answer> logout_all(Call& call);
  Task<Answer> sessions(Call& call);
  Task<Answer> end_session(Call& call);

 private:
  SignIn& sign_in_;
  const TrustedProxies& proxies_;
};

}  // namespace um::api
