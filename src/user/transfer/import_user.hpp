// One user of an import: the values of one line, and what they make when they fit the rules.
// Pure; any thread.
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
  NewUser user;                      // password_hash as it was in the file, form not yet checked
  std::optional<Secret> password{};  // still to be checked and hashed; never with a hash
};

// Needs an email. Neither password nor password_hash: a user who cannot sign in yet. updated_at,
// last_login_at and version are accepted, so that an export can be imported, and not used: they
// count what happens here. invalid, with everything that is wrong.
Result<ImportUser> make_import_user(const ImportValues& values);

}  // namespace um
