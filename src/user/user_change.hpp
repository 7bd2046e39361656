// The requests that storage takes about users: a new one, a change of one, a page of a list. Values
// only; everything in them has been validated (user/validation.hpp).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/secret.hpp"
#include "user/session.hpp"
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
  Secret password_hash{};  // crypt(3) form; empty: the user cannot sign in
  // Set by imports only; otherwise storage chooses.
  std::optional<UserId> id{};
  Usd used_usd{};
  std::optional<WallTime> created_at{};
};

// A member that is not set stays as it is. Of a member that may be null the outer optional says
// whether it changes, and the inner one is the new value.
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

// A part of a list, which is ordered by id, ascending.
// Rows are skipped either up to `after` (keyset: costs the same at any depth) or by `offset`, never
// by both.
struct Page {
  std::int64_t limit = 10;
  std::int64_t offset = 0;
  std::optional<UserId> after{};
};

}  // namespace um
