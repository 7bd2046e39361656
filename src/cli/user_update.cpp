// user update, set-role, disable, enable, delete
#include <istream>
#include <ostream>

#include "async/run_task.hpp"
#include "cli/command.hpp"
#include "cli/messages.hpp"
#include "cli/operator.hpp"
#include "user/validation.hpp"

namespace um {
namespace {

// Opens the database, changes the user, and reports it: `line` follows the user's address.
struct UserEdit {
  const std::string& who;
  UserInput input;
  std::string_view line;
};
Result<ExitCode> edit_user(const Context& context, UserEdit edit) {
  const auto users = OperatorUsers::open(context);
  if (!users) return fail(users.error());
  const auto user = um::run((*users)->change(edit.who, std::move(edit.input)));
  if (!user) return fail(user.error());
  return report_user(context, (*user)->user,
                     (*user)->user.email.text() + " " + std::string{edit.line});
}

class UserUpdate final : public Command {
 public:
  About about() const override {
    return {.name = "update",
            .summary = "change a user; members that are not given stay as they are",
            .examples =
                "  user-manager user update 42 --first-name Ann --quota-usd 12.50\n"
                "  user-manager user update ann@example.org --email ann@example.com"};
  }
  void declare(Options& options) override {
    static_assert(kMinUsernameBytes == 3 && kMaxUsernameBytes == 64 && kMaxNameCharacters == 200 &&
                      kMaxSettingsBytes == 16 * 1024,
                  "the help says so");
    options.positional({"USER", "id or e-mail address"}, who_);
    options.text({"--email", "another e-mail address", "ADDRESS"}, email_);
    options.text({"--username", "3 to 64 of a-z A-Z 0-9 . _ -; empty: none", "NAME"}, username_);
    options.text({"--first-name", "at most 200 characters", "NAME"}, first_name_);
    options.text({"--last-name", "at most 200 characters", "NAME"}, last_name_);
    options.text({"--quota-usd", "US dollars, at most 6 decimals; empty: unlimited", "AMOUNT"},
                 quota_);
    options.text({"--model-settings", "a JSON object of at most 16 KiB; empty: none", "JSON"},
                 settings_);
  }

  Result<ExitCode> run(const Context& context) override {
    UserInput input{.email = given(email_),
                    .username = nullable(username_),
                    .first_name = given(first_name_),
                    .last_name = given(last_name_),
                    .quota_usd = nullable(quota_),
                    .model_capability_settings = nullable(settings_)};
    const bool anything = email_ || username_ || first_name_ || last_name_ || quota_ || settings_;
    if (!anything) return misuse("nothing to change; see `user-manager user update --help`");
    return edit_user(context, {.who = who_, .input = std::move(input), .line = "updated"});
  }

 private:
  static Member<std::string> given(const std::optional<std::string>& text) {
    return {.present = text.has_value(), .value = text};
  }
  static Member<std::string> nullable(const std::optional<std::string>& text) {
    if (text && text->empty()) return {.present = true, .value = std::nullopt};
    return given(text);
  }

  std::string who_;
  std::optional<std::string> email_;
  std::optional<std::string> username_;
  std::optional<std::string> first_name_;
  std::optional<std::string> last_name_;
  std::optional<std::string> quota_;
  std::optional<std::string> settings_;
};

class UserSetRole final : public Command {
 public:
  About about() const override {
    return {.name = "set-role",
            .summary = "make a user a user, an admin or a service",
            .examples = "  user-manager user set-role ann@example.org admin"};
  }
  void declare(Options& options) override {
    options.positional({"USER", "id or e-mail address"}, who_);
    options.positional({"ROLE", "user, admin or service"}, role_);
  }
  Result<ExitCode> run(const Context& context) override {
    // Before the database is opened, like everything else that is wrong with the arguments.
    if (const auto role = check_role(role_); !role) {
      return fail({.code = ErrorCode::invalid, .fields = {role.error()}});
    }
    const std::string line = "now has the role " + role_;
    return edit_user(context, {.who = who_, .input = {.role = member(role_)}, .line = line});
  }

 private:
  std::string who_;
  std::string role_;
};

enum class Activity { disable, enable };

class UserActivity final : public Command {
 public:
  explicit UserActivity(Activity activity) : activity_{activity} {}
  About about() const override {
    if (activity_ == Activity::disable) {
      return {.name = "disable", .summary = "end a user's sessions for good and refuse new ones"};
    }
    return {.name = "enable", .summary = "let a disabled user sign in again"};
  }
  void declare(Options& options) override {
    options.positional({"USER", "id or e-mail address"}, who_);
  }
  Result<ExitCode> run(const Context& context) override {
    const bool active = activity_ == Activity::enable;
    return edit_user(context,
                     {.who = who_,
                      .input = {.is_active = member(active)},
                      .line = active ? "is enabled" : "is disabled; all sessions have ended"});
  }

 private:
  Activity activity_;
  std::string who_;
};

class UserDelete final : public Command {
 public:
  About about() const override {
    return {.name = "delete",
            .summary = "delete a user and end their sessions",
            .examples =
                "  user-manager user delete ann@example.org\n  user-manager user delete 42 --yes"};
  }
  void declare(Options& options) override {
    options.positional({"USER", "id or e-mail address"}, who_);
    options.flag({"--yes", "do not ask"}, yes_);
  }

  Result<ExitCode> run(const Context& context) override {
    if (!yes_ && !context.io.in_is_terminal) {
      return misuse("there is no terminal to ask whether to delete; use --yes");
    }
    const auto users = OperatorUsers::open(context);
    if (!users) return fail(users.error());
    const auto user = um::run((*users)->find(who_));
    if (!user) return fail(user.error());
    const User& found = (*user)->user;
    const std::string name = "user " + found.id.text() + " " + found.email.text();
    if (!yes_ && !confirmed(context.io, name))
      return fail(ErrorCode::conflict, "nothing was deleted");
    const auto removed = um::run((*users)->remove(found.id));
    if (!removed) return fail(removed.error());
    return report_user(context, found, "deleted " + name);
  }

 private:
  static bool confirmed(CliIo& io, std::string_view name) {
    io.err << "Delete " << shown(name) << "? Type yes: " << std::flush;
    std::string answer;
    std::getline(io.in, answer);
    return answer == "yes";
  }

  std::string who_;
  bool yes_ = false;
};

}  // namespace

std::unique_ptr<Command> make_user_update_command() {
  return std::make_unique<UserUpdate>();
}
std::unique_ptr<Command> make_user_set_role_command() {
  return std::make_unique<UserSetRole>();
}
std::unique_ptr<Command> make_user_disable_command() {
  return std::make_unique<UserActivity>(Activity::disable);
}
std::unique_ptr<Command> make_user_enable_command() {
  return std::make_unique<UserActivity>(Activity::enable);
}
std::unique_ptr<Command> make_user_delete_command() {
  return std::make_unique<UserDelete>();
}

}  // namespace um
