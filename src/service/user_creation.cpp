#include "auth/passwords/password_rules.hpp"
#include "service/refusals.hpp"
#include "service/user_rules.hpp"
#include "user/validation.hpp"

namespace um {

namespace {

// The checks of everything but the address, which a NewUser cannot be without.
class CreationPlanner {
 public:
  CreationPlanner(const UserInput& input, Creating creating) : input_{input}, creating_{creating} {}

  Result<Creation> plan() && {
    std::optional<Email> email = required_email();
    required_password(email);
    if (!email) email = Email::parse("unknown@unknown");  // errors follow; never created
    NewUser user{.email = *std::move(email)};
    user.username = optional(input_.username, check_username);
    user.first_name = optional(input_.first_name, check_first_name).value_or("");
    user.last_name = optional(input_.last_name, check_last_name).value_or("");
    administrated(user);
    unwritable();
    if (!refusals_.empty()) return fail(std::move(refusals_).error());
    return Creation{.user = std::move(user), .password = *input_.password.value};
  }

 private:
  std::optional<Email> required_email() {
    if (input_.email.value) return refusals_.wrong.take(check_email(*input_.email.value));
    refusals_.required("email");
    return std::nullopt;
  }

  void required_password(const std::optional<Email>& email) {
    if (!input_.password.value) return refusals_.required("password");
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

Result<Creation> plan_creation(const UserInput& input, Creating creating) {
  return CreationPlanner{input, creating}.plan();
}

}  // namespace um
