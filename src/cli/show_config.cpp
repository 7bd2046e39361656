// config
#include <ostream>

#include "base/json_writer.hpp"
#include "cli/command.hpp"
#include "cli/layout.hpp"

namespace um {
namespace {

class ShowConfig final : public Command {
 public:
  About about() const override {
    return {.name = "config",
            .summary = "print every setting, its value and where it comes from; passwords masked",
            .examples = "  user-manager config --config um.toml",
            .settings = SettingFlags::all};
  }
  Result<ExitCode> run(const Context& context) override {
    if (context.json) {
      JsonWriter json;
      json.open_array(JsonWriter::Layout::lines);
      for (const EffectiveSetting& setting : context.config.effective) {
        const bool none = setting.value.empty();
        json.open_object()
            .member("setting", setting.name)
            .member("value", none ? std::nullopt : std::optional{setting.value})
            .member("source", to_string(setting.source))
            .member("origin", setting.origin)
            .close();
      }
      context.io.out << json.close().text() << '\n';
      return ExitCode::done;
    }
    Table table{{{"SETTING"}, {"VALUE"}, {.title = "FROM", .max_width = 200}}};
    for (const EffectiveSetting& setting : context.config.effective) {
      table.add({std::string{setting.name}, setting.value.empty() ? "none" : setting.value,
                 setting.origin});
    }
    table.write(context.io.out);
    return ExitCode::done;
  }
};

}  // namespace

std::unique_ptr<Command> make_config_command() {
  return std::make_unique<ShowConfig>();
}

}  // namespace um
