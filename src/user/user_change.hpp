// What can be asked of storage: a new user, or a change of one. Values only; everything in them has
// been validated (user/validation.hpp).
#pragma once

#include <optional>
#include <string>

#include "base/secret.hpp"
#include "user/session_id.hpp"
#include "user/user.hpp"

namespace um {

struct NewUser {
  Email email;
  std::optional<std::string> username{};
  std::string first_name{};
  std::string last_name{};
  Role role = Role::user;
  bool is_active = true;
  std::optional<Usd> quota_usd{};
  std::optional<std::string> model_capability_settings{};
  Secret password_hash{};  // crypt(3) form; empty: this user cannot sign in
  // For imports only; otherwise storage chooses.
  std::optional<UserId> id{};
  Usd used_usd{};
  std::optional<WallTime> created_at{};
};

// A member that is not set stays as it is. For members that may be null the outer optional says
// "change it", the inner one the new value.
struct UserChange {
  std::optional<Email> email{};
  std::optional<std::optional<std::string>> username{};
  std::optional<std::string> first_name{};
  std::optional<std::string> last_name{};
  std::optional<Role> role{};
  std::optional<bool> is_active{};  // false also ends every session of the user, for good
  std::optional<std::optional<Usd>> quota_usd{};
  std::optional<std::optional<std::string>> model_capability_settings{};
  std::optional<Secret> password_hash{};    // also ends every session, except `keep_session`
  std::optional<SessionId> keep_session{};  // stays alive through a change of the password

  bool empty() const {
    return !email && !username && !first_name && !last_name && !role && !is_active && !quota_usd &&
           !model_capability_settings && !password_hash;
  }
};

}  // namespace um
