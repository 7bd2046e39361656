// config
#include <ostream>

#include "cli/commands.hpp"
#include "cli/json_text.hpp"
#include "cli/table.hpp"

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
      context.io.out << json_lines_array(
          context.config.effective, [](const EffectiveSetting& setting) {
            const bool none = setting.value.empty();
            return JsonObjectText{}
                .text("setting", setting.name)
                .text_or_null("value", none ? std::nullopt : std::optional{setting.value})
                .text("source", to_string(setting.source))
                .text("origin", setting.origin)
                .str();
          });
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
