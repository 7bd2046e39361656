// User: the profile of one user as stored, without its password hash (which never leaves storage
// except towards the password check).
//
// `version` changes with every change of the profile, `counters_version` with every change of the
// counters (used_usd, last_login_at). Neither says whether a cached copy is fresh.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "user/email.hpp"
#include "user/money.hpp"
#include "user/user_id.hpp"

namespace um {

enum class Role { user, admin, service };
std::string_view to_string(Role role);
std::optional<Role> parse_role(std::string_view text);

struct User {
  UserId id;
  Email email;
  std::optional<std::string> username{};  // 3 to 64 of a-z A-Z 0-9 . _ -, unique without case
  std::string first_name{};               // at most 200 characters, no control characters
  std::string last_name{};
  Role role = Role::user;
  bool is_active = true;
  std::optional<Usd> quota_usd{};  // nullopt: unlimited
  Usd used_usd{};
  std::optional<std::string> model_capability_settings{};  // JSON text of an object, at most 16 KiB
  WallTime created_at{};
  WallTime updated_at{};
  std::optional<WallTime> last_login_at{};
  std::int64_t version = 0;
  std::int64_t counters_version = 0;
  std::int64_t auth_epoch = 0;  // a session that carries another one is over; in no answer
};

// Names one state of a profile for compare-and-set. After a failover equal versions may stand for
// different content; the digest tells them apart.
struct Revision {
  std::int64_t version = 0;
  std::string digest{};  // of the profile without counters, 16 hex digits
  bool operator==(const Revision&) const = default;
};

// A user with its representation, made once when the row is read and shared by all requests.
// Immutable; thread safety: any.
struct UserRecord {
  User user;
  Revision revision;
  std::string json;  // the user as every answer gives it
  std::string etag;  // "version-digest-counters_version", with its quotes
};
using UserRef = std::shared_ptr<const UserRecord>;

// The members in the order of `User`, amounts as JSON numbers with their exact decimals, times as
// in user/time_text.hpp. The only way to make a UserRecord. Precondition:
// model_capability_settings, if set, is valid JSON; it is written as it is.
UserRef make_record(User user);

// The revision that make_record() gives. Profiles of different revisions can have one version.
Revision revision_of(const User& user);

}  // namespace um
