// user set-password
#include "async/run_task.hpp"
#include "cli/commands.hpp"
#include "cli/password_input.hpp"
#include "cli/user_actions.hpp"

namespace um {
namespace {

class UserSetPassword final : public Command {
 public:
  About about() const override {
    return {.name = "set-password",
            .summary = "set a user's password and end their sessions",
            .examples =
                "  user-manager user set-password ann@example.org\n"
                "  pass ann | user-manager user set-password ann@example.org --password-stdin"};
  }
  void declare(Options& options) override {
    options.positional({"USER", "id or e-mail address"}, who_);
    password_.declare(options);
  }
  Result<ExitCode> run(const Context& context) override {
    auto password = password_.read(context.io);
    if (!password) return fail(std::move(password.error()));
    const auto storage = context.backend.open_storage(context.config);
    if (!storage) return fail(storage.error());
    EditRequest request{.who = who_,
                        .input = {.password = member(*std::move(password))},
                        .password_cost = context.config.password_cost};
    const auto user =
        um::run(edit_user((*storage)->users(), std::move(request), call_deadline(context.io)));
    if (!user) return fail(user.error());
    return report_user(context, (*user)->user,
                       (*user)->user.email.text() + " has a new password; all sessions have ended");
  }

 private:
  std::string who_;
  PasswordInput password_;
};

}  // namespace

std::unique_ptr<Command> make_user_set_password_command() {
  return std::make_unique<UserSetPassword>();
}

}  // namespace um
