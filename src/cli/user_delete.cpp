// user delete
#include <istream>
#include <ostream>

#include "async/run_task.hpp"
#include "cli/commands.hpp"
#include "cli/messages.hpp"
#include "cli/user_actions.hpp"

namespace um {
namespace {

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
    const auto storage = context.backend.open_storage(context.config);
    if (!storage) return fail(storage.error());
    const auto user = um::run(find_user((*storage)->users(), who_, call_deadline(context.io)));
    if (!user) return fail(user.error());
    const User& found = (*user)->user;
    const std::string name = "user " + found.id.text() + " " + found.email.text();
    if (!yes_ && !confirmed(context.io, name))
      return fail(ErrorCode::conflict, "nothing was deleted");
    const auto removed = um::run(
        (*storage)->users().remove({.id = found.id, .expected = {}}, call_deadline(context.io)));
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

std::unique_ptr<Command> make_user_delete_command() {
  return std::make_unique<UserDelete>();
}

}  // namespace um
