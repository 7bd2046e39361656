// The rules about users: the change that a request makes to a row, and the members that a caller
// may set. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/secret.hpp"
#include "user/user.hpp"
#include "user/user_change.hpp"

namespace um {

// Absent, null, or a value: RFC 7396 tells them apart.
template <class T>
struct Member {
  bool present = false;
  std::optional<T> value{};  // present and nullopt: null
};

// The members of a user as a client sent them, with their types checked and nothing else. The API
// makes it from JSON, the command line from flags.
struct UserInput {
  Member<std::string> email{};
  Member<std::string> username{};
  Member<std::string> first_name{};
  Member<std::string> last_name{};
  Member<Secret> password{};
  Member<Secret> current_password{};
  Member<std::string> role{};
  Member<bool> is_active{};
  Member<std::string> quota_usd{};  // the number or string exactly as written
  Member<std::string>
      model_capability_settings{};  // the object's JSON text, parsed and written again
  // Cannot be written; compared with the stored values.
  Member<std::int64_t> id{};
  Member<std::string> used_usd{};
  Member<std::string> created_at{};
  Member<std::string> updated_at{};
  Member<std::string> last_login_at{};
  Member<std::int64_t> version{};
};

// If-Match: any of these revisions, or any at all (`*`).
struct RevisionMatch {
  bool any = false;
  std::vector<Revision> revisions{};
};

enum class EditKind { replace, patch };

struct Editing {
  EditKind kind = EditKind::patch;
  bool by_admin = false;
  bool of_oneself = false;
};

struct Edit {
  UserChange change{};               // only members that differ from the row; without the password
  std::optional<Secret> password{};  // the new one as typed; fits the rules
};

// `input` on top of `current`. invalid with everything that is wrong, or forbidden with every
// member that only an administrator may change. A member that equals the current value is never
// refused, so that the answer of a GET can be sent back: amounts are compared as numbers, times as
// instants, settings as JSON. The counters are accepted with any value they can have and never
// written.
Result<Edit> plan_edit(const User& current, const UserInput& input, Editing editing);

// Might the answer be another one for a newer row? (A member that cannot be written differed.)
bool depends_on_row(const Error& refusal);

struct Creation {
  NewUser user;                      // without the hash
  std::optional<Secret> password{};  // as typed; nullopt only if Creating::password_optional
};
struct Creating {
  bool by_admin = false;
  bool password_optional = false;  // without one the user cannot sign in
};
// email is required, and password unless it is optional. invalid, forbidden.
Result<Creation> plan_creation(const UserInput& input, Creating creating);

// The input of check_given_password(): the password of a new user, and the hash that may be given
// in place of one (empty: none).
struct GivenPassword {
  const std::optional<Secret>& password;
  const Secret& hash;
  const Email& email;
};
std::optional<FieldError> check_given_password(const GivenPassword& given);

}  // namespace um
