// What a request makes of a user: the rules about who may set which member, and how. Pure; any
// thread.
#pragma once

#include <optional>

#include "base/error.hpp"
#include "service/user_input.hpp"
#include "user/user_change.hpp"

namespace um {

enum class EditKind { replace, patch };

struct Editing {
  EditKind kind = EditKind::patch;
  bool by_admin = false;
  bool of_oneself = false;
};

struct Edit {
  UserChange change{};               // only what differs from the row; without the password
  std::optional<Secret> password{};  // the new one as typed; fits the rules
};

// `input` on top of `current`. invalid with everything that is wrong, or forbidden with every
// member that only an administrator may change. What equals the current value is never refused, so
// that what GET gave can be sent back: amounts are compared as numbers, times as instants, settings
// as JSON. The counters are accepted with any value they can have and never written.
Result<Edit> plan_edit(const User& current, const UserInput& input, Editing editing);

// Might the answer be another one for a newer row? (A member that cannot be written differed.)
bool depends_on_row(const Error& refusal);

struct Creation {
  NewUser user;  // without the hash
  Secret password;
};
struct Creating {
  bool by_admin = false;
};
// email and password are required. invalid, forbidden.
Result<Creation> plan_creation(const UserInput& input, Creating creating);

}  // namespace um
