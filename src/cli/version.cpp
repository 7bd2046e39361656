// version
#include <ostream>

#include "cli/commands.hpp"
#include "cli/json_text.hpp"

namespace um {
namespace {

class Version final : public Command {
 public:
  About about() const override {
    return {.name = "version", .summary = "print the version", .settings = SettingFlags::none};
  }
  Result<ExitCode> run(const Context& context) override {
    if (context.json) {
      context.io.out
          << JsonObjectText{}.text("name", "user-manager").text("version", UM_VERSION).str()
          << '\n';
    } else {
      context.io.out << "user-manager " UM_VERSION "\n";
    }
    return ExitCode::done;
  }
};

}  // namespace

std::unique_ptr<Command> make_version_command() {
  return std::make_unique<Version>();
}

}  // namespace um
