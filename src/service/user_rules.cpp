#include "service/user_rules.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "auth/passwords/password_hasher.hpp"
#include "auth/passwords/password_rules.hpp"
#include "base/json_patch.hpp"
#include "user/time_text.hpp"
#include "user/validation.hpp"

namespace um {

namespace {

constexpr const char* kReadOnly = "read_only";
constexpr const char* kForbidden = "forbidden";

// Collects why a request about a user is refused: members that are wrong, and members that the
// caller may not set. If there are any of the second kind only those are reported: a caller without
// the right to set a member does not learn which values it takes.
class Refusals {
 public:
  void required(const char* field) { wrong.add({field, "required", "is required"}); }
  void null(const char* field) { wrong.add({field, "null", "must not be null"}); }
  void read_only(const char* field) {
    wrong.add({field, kReadOnly, "cannot be set here, and is not the current value"});
  }
  void forbidden(const char* field) {
    forbidden_.push_back({field, kForbidden, "only an administrator may set it"});
  }

  bool empty() const { return wrong.empty() && forbidden_.empty(); }
  Error error() && {
    if (forbidden_.empty()) return std::move(wrong).error("some members are not valid");
    std::string names;
    for (const FieldError& field : forbidden_) names += (names.empty() ? "" : ", ") + field.field;
    return {.code = ErrorCode::forbidden,
            .detail = "only an administrator may set " + names,
            .fields = std::move(forbidden_)};
  }

  FieldErrors wrong;

 private:
  std::vector<FieldError> forbidden_;
};

bool same_amount(const std::optional<std::string>& text, const std::optional<Usd>& current) {
  return text ? current && Usd::parse(*text) == current : !current;
}

bool same_instant(const std::optional<std::string>& text, const std::optional<WallTime>& current) {
  return text ? current && parse_time(*text) == current : !current;
}

bool same_settings(const std::optional<std::string>& text,
                   const std::optional<std::string>& current) {
  return text ? current && same_json(*text, *current) : !current;
}

class EditPlanner {
 public:
  EditPlanner(const User& current, const UserInput& input, Editing editing)
      : current_{current}, input_{input}, editing_{editing} {}

  Result<Edit> plan() && {
    email();
    names();
    administrated();
    unwritable();
    password();
    if (!refusals_.empty()) return fail(std::move(refusals_).error());
    return std::move(edit_);
  }

 private:
  // Replacing needs the member with a value; patching takes the members that are present.
  template <class T>
  bool needs_value(const Member<T>& member, const char* field) {
    if (member.present && member.value) return true;
    if (editing_.kind == EditKind::replace) refusals_.required(field);
    return false;
  }

  void email() {
    if (!needs_value(input_.email, "email")) {
      if (editing_.kind == EditKind::patch && input_.email.present) refusals_.null("email");
      return;
    }
    if (*input_.email.value == current_.email.text()) return;
    edit_.change.email = refusals_.wrong.take(check_email(*input_.email.value));
  }

  void names() {
    edit_.change.first_name =
        name(input_.first_name, {"first_name", current_.first_name, check_first_name});
    edit_.change.last_name =
        name(input_.last_name, {"last_name", current_.last_name, check_last_name});
  }
  struct NameRule {
    const char* field;
    const std::string& current;
    Validated<std::string> (*check)(std::string_view);
  };
  // A merge patch removes a member with null, and a name that was removed is empty.
  std::optional<std::string> name(const Member<std::string>& member, const NameRule& rule) {
    const bool removed = member.present && !member.value && editing_.kind == EditKind::patch;
    if (!removed && !needs_value(member, rule.field)) return std::nullopt;
    const std::string text = member.value.value_or("");
    if (text == rule.current) return std::nullopt;
    return refusals_.wrong.take(rule.check(text));
  }

  void administrated() {
    UserChange& change = edit_.change;
    if (may_set(input_.username, {"username", input_.username.value == current_.username})) {
      change.username = nullable(input_.username, check_username);
    }
    if (may_set(input_.role, {"role", input_.role.value == to_string(current_.role)})) {
      if (input_.role.value)
        change.role = refusals_.wrong.take(check_role(*input_.role.value));
      else
        refusals_.null("role");
    }
    if (may_set(input_.is_active, {"is_active", input_.is_active.value == current_.is_active})) {
      if (input_.is_active.value)
        change.is_active = input_.is_active.value;
      else
        refusals_.null("is_active");
    }
    if (may_set(input_.quota_usd,
                {"quota_usd", same_amount(input_.quota_usd.value, current_.quota_usd)})) {
      change.quota_usd = nullable(input_.quota_usd, check_quota_usd);
    }
    settings();
  }
  void settings() {
    const auto& sent = input_.model_capability_settings;
    const auto& current = current_.model_capability_settings;
    const Member<std::string> wanted{.present = sent.present, .value = merged_settings()};
    // Stored nulls can be sent back too, though a merge removes them.
    const bool sent_back = !editing_.by_admin && same_settings(sent.value, current);
    if (may_set(wanted,
                {"model_capability_settings", sent_back || same_settings(wanted.value, current)})) {
      // The input is checked before the merged object: it may be no object at all.
      if (auto checked = nullable(sent, check_model_capability_settings))
        edit_.change.model_capability_settings =
            sent.value ? nullable(wanted, check_model_capability_settings) : checked;
    }
  }
  // RFC 7396 merges nested objects too, so a patch of a user merges its settings. Input that cannot
  // be merged is returned as it is.
  std::optional<std::string> merged_settings() const {
    const auto& sent = input_.model_capability_settings.value;
    if (!sent || editing_.kind != EditKind::patch) return sent;
    const std::string& target = current_.model_capability_settings.value_or("{}");
    auto merged = merge_json({.target = target, .patch = *sent});
    if (!merged) return sent;
    return std::move(*merged);
  }
  struct Compared {
    const char* field;
    bool equal = false;
  };
  template <class T>
  bool may_set(const Member<T>& member, Compared compared) {
    if (!member.present || compared.equal) return false;
    if (!editing_.by_admin) {
      refusals_.forbidden(compared.field);
      return false;
    }
    if (editing_.kind == EditKind::patch) return true;
    refusals_.read_only(compared.field);
    return false;
  }
  template <class T>
  std::optional<std::optional<T>> nullable(const Member<std::string>& member,
                                           Validated<T> (*check)(std::string_view)) {
    if (!member.value) return std::optional<T>{};
    auto value = refusals_.wrong.take(check(*member.value));
    if (!value) return std::nullopt;
    return value;
  }

  void unwritable() {
    must_equal(input_.id, {"id", input_.id.value == current_.id.value()});
    must_equal(input_.version, {"version", input_.version.value == current_.version});
    must_equal(input_.created_at,
               {"created_at", same_instant(input_.created_at.value, current_.created_at)});
    must_equal(input_.updated_at,
               {"updated_at", same_instant(input_.updated_at.value, current_.updated_at)});
    counters();
  }
  // Reading a user and sending it back must not fail because of a login or recorded usage in
  // between, so an outdated counter is ignored. A value that the counter has not reached yet was
  // never read: it is an attempt to set the counter.
  void counters() {
    used_usd();
    last_login_at();
  }
  void used_usd() {
    if (!input_.used_usd.present) return;
    if (!input_.used_usd.value) return refusals_.null("used_usd");
    const auto sent = refusals_.wrong.take(check_used_usd(*input_.used_usd.value));
    if (sent && *sent > current_.used_usd) refusals_.read_only("used_usd");
  }
  void last_login_at() {
    const auto& text = input_.last_login_at.value;
    if (!text) return;
    const std::optional<WallTime> sent = parse_time(*text);
    if (!sent)
      refusals_.wrong.add({"last_login_at", "not_a_time", "must be a time (RFC 3339) or null"});
    else if (!current_.last_login_at || *sent > *current_.last_login_at)
      refusals_.read_only("last_login_at");
  }
  template <class T>
  void must_equal(const Member<T>& member, Compared compared) {
    if (member.present && !compared.equal) refusals_.read_only(compared.field);
  }

  void password() {
    if (!input_.password.present) return;
    if (!input_.password.value) return refusals_.null("password");
    const Email& email = edit_.change.email ? *edit_.change.email : current_.email;
    if (auto error =
            check_new_password({.password = *input_.password.value, .email = email.text()}))
      refusals_.wrong.add(std::move(*error));
    if (editing_.of_oneself && !input_.current_password.value)
      refusals_.required("current_password");
    edit_.password = input_.password.value;
  }

  const User& current_;
  const UserInput& input_;
  Editing editing_;
  Refusals refusals_;
  Edit edit_;
};

// The checks of everything but the address, which a NewUser cannot be without.
class CreationPlanner {
 public:
  CreationPlanner(const UserInput& input, Creating creating) : input_{input}, creating_{creating} {}

  Result<Creation> plan() && {
    std::optional<Email> email = required_email();
    check_password(email);
    if (!email) email = Email::parse("unknown@unknown");  // errors follow; never created
    NewUser user{.email = *std::move(email)};
    user.username = optional(input_.username, check_username);
    user.first_name = optional(input_.first_name, check_first_name).value_or("");
    user.last_name = optional(input_.last_name, check_last_name).value_or("");
    administrated(user);
    unwritable();
    if (!refusals_.empty()) return fail(std::move(refusals_).error());
    return Creation{.user = std::move(user), .password = input_.password.value};
  }

 private:
  std::optional<Email> required_email() {
    if (input_.email.value) return refusals_.wrong.take(check_email(*input_.email.value));
    refusals_.required("email");
    return std::nullopt;
  }

  void check_password(const std::optional<Email>& email) {
    if (!input_.password.value) {
      if (!creating_.password_optional) refusals_.required("password");
      return;
    }
    const std::string_view address = email ? email->text() : std::string_view{};
    if (auto error = check_new_password({.password = *input_.password.value, .email = address}))
      refusals_.wrong.add(std::move(*error));
  }

  // Null is the same as absent: there is nothing yet to remove.
  template <class T>
  std::optional<T> optional(const Member<std::string>& member,
                            Validated<T> (*check)(std::string_view)) {
    if (!member.value) return std::nullopt;
    return refusals_.wrong.take(check(*member.value));
  }

  void administrated(NewUser& user) {
    if (may_set(input_.role, "role"))
      user.role = optional(input_.role, check_role).value_or(Role::user);
    if (may_set(input_.is_active, "is_active"))
      user.is_active = input_.is_active.value.value_or(true);
    if (may_set(input_.quota_usd, "quota_usd"))
      user.quota_usd = optional(input_.quota_usd, check_quota_usd);
    if (may_set(input_.model_capability_settings, "model_capability_settings")) {
      user.model_capability_settings =
          optional(input_.model_capability_settings, check_model_capability_settings);
    }
  }
  template <class T>
  bool may_set(const Member<T>& member, const char* field) {
    if (!member.present) return false;
    if (!creating_.by_admin) refusals_.forbidden(field);
    return creating_.by_admin;
  }

  void unwritable() {
    refuse(input_.id, "id");
    refuse(input_.used_usd, "used_usd");
    refuse(input_.created_at, "created_at");
    refuse(input_.updated_at, "updated_at");
    refuse(input_.last_login_at, "last_login_at");
    refuse(input_.version, "version");
    refuse(input_.current_password, "current_password");
  }
  template <class T>
  void refuse(const Member<T>& member, const char* field) {
    if (member.present) refusals_.wrong.add({field, kReadOnly, "cannot be set for a new user"});
  }

  const UserInput& input_;
  Creating creating_;
  Refusals refusals_;
};

}  // namespace

Result<Edit> plan_edit(const User& current, const UserInput& input, Editing editing) {
  return EditPlanner{current, input, editing}.plan();
}

bool depends_on_row(const Error& refusal) {
  return std::ranges::any_of(refusal.fields, [](const FieldError& field) {
    return field.code == kReadOnly || field.code == kForbidden;
  });
}

Result<Creation> plan_creation(const UserInput& input, Creating creating) {
  return CreationPlanner{input, creating}.plan();
}

std::optional<FieldError> check_given_password(const GivenPassword& given) {
  if (!given.hash.empty() && !is_supported_hash(given.hash.reveal())) {
    return FieldError{
        "password_hash", "unsupported",
        fmt::format("is not a bcrypt hash ($2a$, $2b$ or $2y$) with a cost of at most {}",
                    PasswordHasher::kMaxCost)};
  }
  if (!given.password) return std::nullopt;
  return check_new_password({.password = *given.password, .email = given.email.text()});
}

}  // namespace um
