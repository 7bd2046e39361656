// UserInput: the members of a user as a client sent them, with their types checked and nothing
// else. The API makes it from JSON, the command line from flags and import lines; `Users` validates
// it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/secret.hpp"
#include "user/user.hpp"

namespace um {

// Absent, null, or a value: RFC 7396 tells them apart.
template <class T>
struct Member {
  bool present = false;
  std::optional<T> value{};  // present and nullopt: null
};

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
  // Cannot be written; compared with what is stored.
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

}  // namespace um
