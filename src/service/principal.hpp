// The callers of use cases: Principal, a signed-in user; Operator, the person at the command line;
// Actor, either of them or an anonymous caller.
#pragma once

#include <memory>
#include <optional>
#include <variant>

#include "user/session.hpp"
#include "user/user.hpp"

namespace um {

// The user behind a request with an accepted token. There is no null principal: a request
// without a token has no Principal object at all (Caller is nullopt).
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

// The person at the command line. The access to the database is proof enough: the operator has the
// rights of an administrator, but no row, no session and no password.
struct Operator {};

// An Actor that is made from neither a Principal nor an Operator is anonymous and has the fewest
// rights.
class Actor {
 public:
  Actor() = default;
  Actor(Principal principal) : caller_{std::move(principal)} {}
  Actor(Caller caller) {
    if (caller) caller_ = *std::move(caller);
  }
  Actor(Operator caller) : caller_{caller} {}

  bool is_anonymous() const { return std::holds_alternative<std::monostate>(caller_); }
  bool is_admin() const {
    return std::holds_alternative<Operator>(caller_) || (principal() && principal()->is_admin());
  }
  // Null for an anonymous caller and for the operator.
  const Principal* principal() const { return std::get_if<Principal>(&caller_); }

 private:
  std::variant<std::monostate, Principal, Operator> caller_;
};

}  // namespace um
