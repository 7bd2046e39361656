// The rules of users and sessions that every database adapter follows, as functions of values: what
// a change makes of a user, whom it concerns, and in which text a user is searched.
//
// Thread safety: pure; any thread.
#pragma once

#include <string>
#include <string_view>

#include "storage/session_store.hpp"
#include "storage/user_store.hpp"

namespace um::rules {

// An id that is given may not use up the numbers that storage hands out itself.
inline constexpr std::int64_t kMaxGivenId = std::int64_t{1} << 53U;
// More rows in one insert_many than this are refused (invalid): they would keep other writes
// waiting.
inline constexpr std::size_t kMaxInsertMany = 10'000;
// For so long a repeated idempotency key counts once.
inline constexpr std::chrono::hours kUsageKeysKept{24};

bool is_acting_admin(const User& user);
// Has the user the revision that the caller expects? An empty digest compares the version alone.
bool in_revision(const User& user, const Revision& expected);

// What an update makes of `current`, but for its version, auth_epoch and updated_at, which the
// database gives. Errors: conflict.
struct PlannedUpdate {
  User user;
  bool changes_nothing = false;
  bool gives_up_admin = false;  // last_admin if there is no other active one
  bool ends_sessions = false;   // needs a new auth_epoch
};
Result<PlannedUpdate> plan_update(const User& current, const UpdateUser& update);

// A new user as it will be stored, but for the id (if none is given), version and auth_epoch.
// Errors: invalid (the id is too large).
Result<User> plan_insert(const NewUser& wanted, WallTime now);

// The largest id that a row of the batch names, if another names none: those get ids above it. 0:
// there is nothing to stay above.
std::int64_t largest_named_id(const std::vector<NewUser>& batch);

// A new session under the epoch that its user has.
Session session_under(std::int64_t auth_epoch, const NewSession& wanted);
struct SessionWrite {
  CreatedSession created{};
  std::int64_t displaced = 0;  // logins that made room for it
};

// First name, last name and e-mail, folded, each followed by U+001F, and one more at the end, so
// that each of the first two characters of everything starts a trigram.
std::string search_text(const User& user);
// Can this folded keyword be in any search text? Nothing that is searched has control characters;
// the separators are none that can be asked for.
bool can_match(std::string_view folded);

std::string_view to_string(SessionKind kind);

Error email_taken();
Error username_taken();
Error id_taken();
Error no_such_user();
Error last_admin();

}  // namespace um::rules
