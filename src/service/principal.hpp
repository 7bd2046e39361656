// Principal: who a request is from, once its token has been accepted. There is no null principal: a
// request without one has no Principal object at all (Caller is nullopt).
#pragma once

#include <memory>
#include <optional>

#include "user/session.hpp"
#include "user/user.hpp"

namespace um {

class Principal {
 public:
  // Precondition: both set, session->user_id == user->user.id.
  Principal(UserRef user, SessionRef session)
      : user_{std::move(user)}, session_{std::move(session)} {}

  const User& user() const { return user_->user; }
  const UserRef& record() const { return user_; }
  const Session& session() const { return *session_; }
  UserId id() const { return user_->user.id; }
  bool is_admin() const { return user().role == Role::admin; }
  bool is_service() const { return user().role == Role::service; }

 private:
  UserRef user_;
  SessionRef session_;
};
using Caller = std::optional<Principal>;

}  // namespace um
