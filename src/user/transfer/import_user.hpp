// ImportUser: one user of an import, made from the values of one record. Pure; thread safety: any.
#pragma once

#include <array>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "base/secret.hpp"
#include "user/transfer/columns.hpp"
#include "user/user_change.hpp"

namespace um {

// By index_of(column); nullopt: not given.
using ImportValues = std::array<std::optional<std::string>, kColumns>;

struct ImportUser {
  NewUser user;                      // password_hash as it is in the file, its form not yet checked
  std::optional<Secret> password{};  // still to be checked and hashed; never set with a hash
};

// An email is required. Without password and password_hash the user cannot sign in yet. updated_at,
// last_login_at and version are accepted, so that an export can be imported, and ignored: here they
// start anew. The error is `invalid` and lists everything that is wrong.
Result<ImportUser> make_import_user(const ImportValues& values);

}  // namespace um
