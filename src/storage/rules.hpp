// The rules for users and sessions that both database adapters follow, as functions of values: the
// user that a change results in, which other rules the change touches, and the text that searches
// look at.
//
// Thread safety: pure; any thread.
#pragma once

#include <string>
#include <string_view>

#include "storage/session_store.hpp"
#include "storage/user_store.hpp"

namespace um::rules {

// The largest id that a caller may choose: larger ones would use up the ids that storage assigns.
inline constexpr std::int64_t kMaxGivenId = std::int64_t{1} << 53U;
// insert_many with more rows than this is refused (invalid): it would delay other writes.
inline constexpr std::size_t kMaxInsertMany = 10'000;
// How long a repeated idempotency key counts once.
inline constexpr std::chrono::hours kUsageKeysKept{24};

bool is_acting_admin(const User& user);
// Whether the user has the expected revision. An empty digest compares the version alone.
bool in_revision(const User& user, const Revision& expected);

// The result of an update of `current`, without version, auth_epoch and updated_at, which the
// database assigns. Errors: conflict.
struct PlannedUpdate {
  User user;
  UserChange change{};  // what it is made of
  bool changes_nothing = false;
  bool gives_up_admin = false;  // last_admin if no other active administrator exists
  bool ends_sessions = false;   // needs a new auth_epoch
};
Result<PlannedUpdate> plan_update(const User& current, const UpdateUser& update);

// Whether the request may remove `current`, apart from the rule about the last administrator.
// Errors: conflict, and those of request.allow.
Result<void> may_remove(const User& current, const UserStore::RemoveUser& request);

// A new user as it will be stored, without version, auth_epoch and, if none is given, the id.
// Errors: invalid (the id is too large).
Result<User> plan_insert(const NewUser& wanted, WallTime now);

// The largest id in the batch if other rows of it have none: the ids assigned to those must be
// larger. 0: there is no such bound.
std::int64_t largest_named_id(const std::vector<NewUser>& batch);

// A new session with the auth_epoch of its user.
Session session_under(std::int64_t auth_epoch, const NewSession& wanted);
struct SessionWrite {
  CreatedSession created{};
  std::int64_t displaced = 0;  // older logins that were deleted to make room
};

// First name, last name and e-mail, folded, each followed by U+001F, and one more U+001F at the
// end: so every character of them begins a trigram, even the last two.
std::string search_text(const User& user);
// Can this folded keyword be in any search text? Nothing that is searched has control characters;
// the separators are none that can be asked for.
bool can_match(std::string_view folded);

std::string_view to_string(SessionKind kind);

Error changed_meanwhile();
Error email_taken();
Error username_taken();
Error id_taken();
Error no_such_user();
Error last_admin();

}  // namespace um::rules
