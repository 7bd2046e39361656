// backup
#include <ostream>

#include "base/json_writer.hpp"
#include "cli/command.hpp"
#include "cli/messages.hpp"

namespace um {
namespace {

class Backup final : public Command {
 public:
  About about() const override {
    return {.name = "backup",
            .summary = "copy the SQLite database consistently, also while the server runs",
            .examples = "  user-manager backup /backup/users-$(date +%F).db"};
  }
  void declare(Options& options) override {
    options.positional({"FILE", "where the copy goes; must not exist"}, file_);
  }
  Result<ExitCode> run(const Context& context) override {
    if (const auto made = context.backend.backup(context.config, file_); !made) {
      return fail(made.error());
    }
    if (context.json) {
      context.io.out << JsonWriter{}.open_object().member("file", file_).close().text() << '\n';
    } else {
      context.io.out << "copied " << context.config.database.masked() << " to " << shown(file_)
                     << '\n';
    }
    return ExitCode::done;
  }

 private:
  std::string file_;
};

}  // namespace

std::unique_ptr<Command> make_backup_command() {
  return std::make_unique<Backup>();
}

}  // namespace um
