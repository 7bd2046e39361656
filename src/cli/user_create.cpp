// user create
#include <ostream>

#include "auth/passwords/password_hasher.hpp"
#include "base/random.hpp"
#include "async/run_task.hpp"
#include "cli/commands.hpp"
#include "cli/messages.hpp"
#include "cli/password_input.hpp"
#include "cli/user_actions.hpp"
#include "service/user_rules.hpp"

namespace um {
namespace {

class UserCreate final : public Command {
 public:
  About about() const override {
    return {.name = "create",
            .summary = "create a user, also beside a running server",
            .examples =
                "  user-manager user create --email ann@example.org --role admin\n"
                "  user-manager user create --email bot@example.org --role service --no-password"};
  }

  void declare(Options& options) override {
    options.required_text({"--email", "e-mail address, unique without case", "ADDRESS"}, email_);
    options.text(
        {"--username", "3 to 64 of a-z A-Z 0-9 . _ -, unique without case [default: none]", "NAME"},
        username_);
    options.text({"--first-name", "at most 200 characters [default: empty]", "NAME"}, first_name_);
    options.text({"--last-name", "at most 200 characters [default: empty]", "NAME"}, last_name_);
    options.text({"--role", "user, admin or service [default: user]", "ROLE"}, role_);
    options.text({"--quota-usd", "US dollars, at most 6 decimals [default: unlimited]", "AMOUNT"},
                 quota_);
    options.flag({"--no-password", "nobody can sign in as this user until a password is set"},
                 no_password_);
    password_.declare(options);
  }

  Result<ExitCode> run(const Context& context) override {
    if (no_password_ && password_.from_stdin())
      return misuse("--no-password and --password-stdin exclude each other");
    auto password =
        no_password_ ? Result<Secret>{Secret{random_hex(24)}} : password_.read(context.io);
    if (!password) return fail(std::move(password.error()));
    auto creation = plan_creation(input(*std::move(password)), {.by_admin = true});
    if (!creation) return fail(std::move(creation.error()));
    if (!no_password_) {
      auto hash = PasswordHasher::hash_here(creation->password, context.config.password_cost);
      if (!hash) return fail(std::move(hash.error()));
      creation->user.password_hash = *std::move(hash);
    }
    const auto storage = context.backend.open_storage(context.config);
    if (!storage) return fail(storage.error());
    const auto made =
        um::run((*storage)->users().insert(std::move(creation->user), call_deadline(context.io)));
    if (!made) return fail(made.error());
    const User& user = (*made)->user;
    return report_user(context, user,
                       "created user " + user.id.text() + " " + user.email.text() + " (" +
                           std::string{to_string(user.role)} + ")");
  }

 private:
  UserInput input(Secret password) const {
    UserInput out{.email = member(email_), .password = member(std::move(password))};
    if (username_) out.username = member(*username_);
    if (first_name_) out.first_name = member(*first_name_);
    if (last_name_) out.last_name = member(*last_name_);
    if (role_) out.role = member(*role_);
    if (quota_) out.quota_usd = member(*quota_);
    return out;
  }

  std::string email_;
  std::optional<std::string> username_;
  std::optional<std::string> first_name_;
  std::optional<std::string> last_name_;
  std::optional<std::string> role_;
  std::optional<std::string> quota_;
  bool no_password_ = false;
  PasswordInput password_;
};

}  // namespace

std::unique_ptr<Command> make_user_create_command() {
  return std::make_unique<UserCreate>();
}

}  // namespace um
