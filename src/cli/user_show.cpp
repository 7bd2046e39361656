// user show
#include <ostream>

#include "async/run_task.hpp"
#include "cli/commands.hpp"
#include "cli/messages.hpp"
#include "cli/user_actions.hpp"
#include "user/time_text.hpp"

namespace um {
namespace {

void write_user(std::ostream& out, const User& user) {
  const auto line = [&out](std::string_view name, std::string_view value) {
    out << name << std::string(15 - name.size(), ' ') << shown(value) << '\n';
  };
  line("id", user.id.text());
  line("email", user.email.text());
  line("username", user.username.value_or("-"));
  line("first name", user.first_name);
  line("last name", user.last_name);
  line("role", to_string(user.role));
  line("active", user.is_active ? "yes" : "no");
  line("quota", user.quota_usd ? user.quota_usd->text() + " USD" : "unlimited");
  line("used", user.used_usd.text() + " USD");
  line("model settings", user.model_capability_settings.value_or("-"));
  line("created", time_text(user.created_at));
  line("updated", time_text(user.updated_at));
  line("last sign-in", user.last_login_at ? time_text(*user.last_login_at) : "never");
  line("version", std::to_string(user.version));
}

class UserShow final : public Command {
 public:
  About about() const override {
    return {
        .name = "show",
        .summary = "show a user",
        .examples = "  user-manager user show 42\n  user-manager user show ann@example.org --json"};
  }
  void declare(Options& options) override {
    options.positional({"USER", "id or e-mail address"}, who_);
  }
  Result<ExitCode> run(const Context& context) override {
    const auto storage = context.backend.open_storage(context.config);
    if (!storage) return fail(storage.error());
    const auto user = um::run(find_user((*storage)->users(), who_, call_deadline(context.io)));
    if (!user) return fail(user.error());
    if (context.json) {
      context.io.out << (*user)->json << '\n';
    } else {
      write_user(context.io.out, (*user)->user);
    }
    return ExitCode::done;
  }

 private:
  std::string who_;
};

}  // namespace

std::unique_ptr<Command> make_user_show_command() {
  return std::make_unique<UserShow>();
}

}  // namespace um
