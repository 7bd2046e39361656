#include "storage/rules.hpp"

#include <algorithm>

#include "user/search_fold.hpp"

namespace um::rules {

namespace {

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20;
}

// Control characters separate the parts, so one inside a name becomes a space.
void append_part(std::string& text, std::string_view part) {
  std::string folded = fold_for_search(part);
  std::ranges::replace_if(folded, is_control, ' ');
  text += folded;
  text += '\x1f';
}

User merged(const User& current, const UserChange& change) {
  User next = current;
  if (change.email) next.email = *change.email;
  if (change.username) next.username = *change.username;
  if (change.first_name) next.first_name = *change.first_name;
  if (change.last_name) next.last_name = *change.last_name;
  if (change.role) next.role = *change.role;
  if (change.is_active) next.is_active = *change.is_active;
  if (change.quota_usd) next.quota_usd = *change.quota_usd;
  if (change.model_capability_settings) {
    next.model_capability_settings = *change.model_capability_settings;
  }
  return next;
}

bool same_profile(const User& a, const User& b) {
  return a.email.text() == b.email.text() && a.username == b.username &&
         a.first_name == b.first_name && a.last_name == b.last_name && a.role == b.role &&
         a.is_active == b.is_active && a.quota_usd == b.quota_usd &&
         a.model_capability_settings == b.model_capability_settings;
}

}  // namespace

bool is_acting_admin(const User& user) {
  return user.role == Role::admin && user.is_active;
}

bool in_revision(const User& user, const Revision& expected) {
  if (user.version != expected.version) return false;
  return expected.digest.empty() || revision_of(user) == expected;
}

Result<PlannedUpdate> plan_update(const User& current, const UpdateUser& update) {
  if (update.expected && !in_revision(current, *update.expected)) return fail(changed_meanwhile());
  PlannedUpdate plan{.user = current};
  if (update.plan) {
    Result<UserChange> change = update.plan(*make_record(current));
    if (!change) return fail(std::move(change.error()));
    plan.change = std::move(*change);
  } else {
    plan.change = update.change;
  }
  plan.user = merged(current, plan.change);
  plan.changes_nothing = same_profile(current, plan.user) && !plan.change.password_hash;
  plan.gives_up_admin = is_acting_admin(current) && !is_acting_admin(plan.user);
  const bool disabled = current.is_active && !plan.user.is_active;
  plan.ends_sessions = disabled || plan.change.password_hash.has_value();
  return plan;
}

Result<void> may_remove(const User& current, const UserStore::RemoveUser& request) {
  if (request.expected && !in_revision(current, *request.expected))
    return fail(changed_meanwhile());
  if (request.allow) return request.allow(*make_record(current));
  return {};
}

Result<User> plan_insert(const NewUser& wanted, WallTime now) {
  if (wanted.id && wanted.id->value() > kMaxGivenId) {
    return fail({.code = ErrorCode::invalid,
                 .detail = "the id is too large",
                 .fields = {{"id", "too_large", "must be at most 2^53"}}});
  }
  // Until storage has assigned the id, 1 stands for it.
  User user{.id = wanted.id.value_or(*UserId::from(1)), .email = wanted.email};
  user.username = wanted.username;
  user.first_name = wanted.first_name;
  user.last_name = wanted.last_name;
  user.role = wanted.role;
  user.is_active = wanted.is_active;
  user.quota_usd = wanted.quota_usd;
  user.used_usd = wanted.used_usd;
  user.model_capability_settings = wanted.model_capability_settings;
  user.created_at = wanted.created_at.value_or(now);
  user.updated_at = now;
  return user;
}

std::int64_t largest_named_id(const std::vector<NewUser>& batch) {
  std::int64_t largest = 0;
  bool all_named = true;
  for (const NewUser& user : batch) {
    if (!user.id) {
      all_named = false;
    } else if (user.id->value() <= kMaxGivenId) {
      largest = std::max(largest, user.id->value());
    }
  }
  return all_named ? 0 : largest;
}

Session session_under(std::int64_t auth_epoch, const NewSession& wanted) {
  return {.id = wanted.id,
          .user_id = wanted.user_id,
          .auth_epoch = auth_epoch,
          .kind = wanted.kind,
          .created_at = wanted.created_at,
          .expires_at = wanted.expires_at,
          .address = wanted.address,
          .user_agent = wanted.user_agent};
}

std::string search_text(const User& user) {
  std::string text;
  append_part(text, user.first_name);
  append_part(text, user.last_name);
  append_part(text, user.email.text());
  text += '\x1f';
  return text;
}

bool can_match(std::string_view folded) {
  return std::ranges::none_of(folded, is_control);
}

std::string_view to_string(SessionKind kind) {
  switch (kind) {
    case SessionKind::login:
      return "login";
    case SessionKind::service_token:
      return "service_token";
  }
  return "login";
}

Error changed_meanwhile() {
  return {.code = ErrorCode::conflict, .detail = "the user was changed meanwhile"};
}

Error email_taken() {
  return {.code = ErrorCode::email_taken, .detail = "the e-mail address is taken"};
}
Error username_taken() {
  return {.code = ErrorCode::username_taken, .detail = "the username is taken"};
}
Error id_taken() {
  return {.code = ErrorCode::conflict, .detail = "a user with this id exists"};
}
Error no_such_user() {
  return {.code = ErrorCode::not_found, .detail = "no such user"};
}
Error last_admin() {
  return {.code = ErrorCode::last_admin, .detail = "the last active administrator has to stay"};
}

}  // namespace um::rules
