// version
#include <ostream>

#include "base/json_writer.hpp"
#include "cli/command.hpp"

namespace um {
namespace {

class Version final : public Command {
 public:
  About about() const override {
    return {.name = "version", .summary = "print the version", .settings = SettingFlags::none};
  }
  Result<ExitCode> run(const Context& context) override {
    if (context.json) {
      JsonWriter json;
      json.open_object().member("name", "user-manager").member("version", UM_VERSION).close();
      context.io.out << json.text() << '\n';
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
