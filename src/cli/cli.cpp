#include "cli/cli.hpp"

#include <exception>
#include <map>
#include <optional>
#include <ostream>
#include <string>
#include <variant>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "base/printable.hpp"
#include "base/text.hpp"
#include "cli/command.hpp"
#include "cli/layout.hpp"
#include "cli/messages.hpp"
#include "config/setting.hpp"
#include "config/url_mask.hpp"

namespace um {
namespace {

template <class... C>
CommandGroup group(std::string_view name, std::string_view summary, C... commands) {
  CommandGroup out{.name = name, .summary = summary, .commands = {}};
  (out.commands.push_back(std::move(commands)), ...);
  return out;
}

CommandGroup alone(std::unique_ptr<Command> command) {
  return group({}, {}, std::move(command));
}

// The command that was named, with its options filled in.
struct Invocation {
  Command* command = nullptr;
  std::map<std::string, std::string> setting_flags{};  // "cache-ttl" -> "5min"
  std::optional<std::string> config_file{};
  bool json = false;
};
struct HelpText {
  std::string text;
};
struct UsageError {
  std::string line;  // one line, safe to print
};
using Parsed = std::variant<Invocation, HelpText, UsageError>;

constexpr std::string_view kAbout =
    "Stores users, signs them in and out, and serves their profiles to other programs.\n"
    "`user-manager serve` needs nothing else: it starts with a SQLite file of its own.";

constexpr std::size_t kHelpColumns = 100;

// The options of one command, as CLI11 takes them.
class CliOptions final : public Options {
 public:
  explicit CliOptions(CLI::App& app) : app_{app} {}

  void text(Spec spec, std::optional<std::string>& target) override {
    add(spec, [&target](const std::string& value) { target = value; });
  }
  void required_text(Spec spec, std::string& target) override {
    add(spec, [&target](const std::string& value) { target = value; })->required();
  }
  void positional(Spec spec, std::string& target) override { required_text(spec, target); }
  void positionals(Spec spec, std::vector<std::string>& targets) override {
    app_.add_option(std::string{spec.name}, targets, std::string{spec.help})
        ->required()
        ->type_name("");
  }
  void optional_positional(Spec spec, std::optional<std::string>& target) override {
    text(spec, target);
  }
  void flag(Spec spec, bool& target) override {
    app_.add_flag(std::string{spec.name}, target, std::string{spec.help});
  }
  void hidden(Spec spec, std::optional<std::string>& target) override {
    add(spec, [&target](const std::string& value) { target = value; })
        ->group("")
        ->expected(0, 1)
        ->default_str("");
  }
  CLI::Option* add(Spec spec, const std::function<void(const std::string&)>& assign) {
    auto* option = app_.add_option_function<std::string>(std::string{spec.name}, assign,
                                                         std::string{spec.help});
    if (!spec.placeholder.empty()) option->type_name(std::string{spec.placeholder});
    return option;
  }

 private:
  CLI::App& app_;
};

std::string setting_help(const Setting& setting) {
  return fmt::format("{} [default: {}; allowed: {}; {}]", setting.help, setting.default_text,
                     setting.allowed, setting.variable());
}

class Parser {
 public:
  explicit Parser(const std::vector<CommandGroup>& groups)
      : app_{std::string{kAbout}, "user-manager"} {
    app_.require_subcommand(1);
    app_.set_version_flag("--version", "user-manager " UM_VERSION, "print the version");
    app_.get_formatter()->column_width(34);
    for (const CommandGroup& group : groups) add_group(group);
    app_.footer(
        "Every command has --help. Exit codes: 0 done, 1 failed, 2 used wrongly or badly "
        "configured.");
  }

  Parsed parse(std::span<const char* const> arguments) {
    arguments_ = arguments;
    try {
      app_.parse(static_cast<int>(arguments.size()), arguments.data());
    } catch (const CLI::CallForHelp&) {
      return HelpText{wrap(app_.help(), kHelpColumns)};
    } catch (const CLI::CallForVersion& version) {
      return HelpText{std::string{version.what()} + '\n'};
    } catch (const CLI::RequiredError& error) {
      return UsageError{fmt::format("{}; see `{} --help`", what_is_missing(error), path())};
    } catch (const CLI::ParseError& error) {
      return UsageError{fmt::format("{}; see `{} --help`", display(error.what()), path())};
    }
    return std::move(found_);
  }

 private:
  void add_group(const CommandGroup& group) {
    CLI::App* parent = &app_;
    if (!group.name.empty()) {
      parent = app_.add_subcommand(std::string{group.name}, std::string{group.summary});
      parent->require_subcommand(1);
    }
    for (const auto& command : group.commands) add_command(*parent, *command);
  }

  void add_command(CLI::App& parent, Command& command) {
    const auto about = command.about();
    CLI::App* app = parent.add_subcommand(std::string{about.name}, std::string{about.summary});
    app->get_formatter()->column_width(34);
    CliOptions options{*app};
    command.declare(options);
    if (about.has_json) app->add_flag("--json", found_.json, "machine-readable output");
    add_settings(*app, options, about.settings);
    if (!about.examples.empty()) app->footer("Examples:\n" + std::string{about.examples});
    app->parse_complete_callback([this, &command] { found_.command = &command; });
  }

  void add_settings(CLI::App&, CliOptions& options, SettingFlags which) {
    if (which == SettingFlags::none) return;
    const auto config = [this](const std::string& value) { found_.config_file = value; };
    options
        .add({.name = "--config",
              .help = "TOML file of settings [default: none; USER_MANAGER_CONFIG]",
              .placeholder = "FILE"},
             config)
        ->group("Settings");
    for (const Setting& setting : make_setting_table()) {
      if (!has(which, setting.name)) continue;
      const std::string name{setting.name};
      const auto assign = [this, name](const std::string& value) {
        found_.setting_flags[name] = value;
      };
      options
          .add({.name = setting.flag(),
                .help = setting_help(setting),
                .placeholder = setting.placeholder},
               assign)
          ->group("Settings");
    }
  }

  static bool has(SettingFlags which, std::string_view setting) {
    const bool of_schema =
        setting == "consistency" || setting == "staleness-bound" || setting == "change-retention";
    return which == SettingFlags::all || setting == "database" ||
           (which == SettingFlags::schema && of_schema);
  }

  // CLI11's messages repeat arguments, and a URL among them may contain a password.
  std::string display(std::string text) const {
    for (const std::string_view argument : arguments_) {
      const auto scheme = argument.find("://");
      if (scheme == std::string_view::npos) continue;
      const auto equals = argument.substr(0, scheme).find('=');
      const auto url = equals == std::string_view::npos ? argument : argument.substr(equals + 1);
      replace_all(text, url, mask_url(url));
    }
    return printable(text, {.escapes = Escapes::display});
  }

  // CLI11 reports a missing argument before an unknown one; the unknown one is the likelier cause.
  std::string what_is_missing(const CLI::RequiredError& error) {
    CLI::App& app = deepest();
    const auto unknown = app.remaining();
    if (unknown.empty()) return display(error.what());
    const std::string& first = unknown.front();
    const bool is_flag = first.starts_with('-');
    if (app.get_require_subcommand_min() > 0) {
      return fmt::format("unknown {} \"{}\"", is_flag ? "option" : "command", display(first));
    }
    if (!is_flag) return display(error.what());
    return fmt::format("{}; a value that begins with - comes after --, as in `{} -- {}`",
                       display(error.what()), path(), display(first));
  }

  CLI::App& deepest() {
    CLI::App* app = &app_;
    while (!app->get_subcommands().empty()) app = app->get_subcommands().front();
    return *app;
  }

  // "user-manager user create", as far as the arguments were understood.
  std::string path() {
    std::string out = app_.get_name();
    for (CLI::App* app = &app_; !app->get_subcommands().empty();) {
      app = app->get_subcommands().front();
      out += ' ' + app->get_name();
    }
    return out;
  }

  CLI::App app_;
  Invocation found_;
  std::span<const char* const> arguments_;  // while they are parsed
};

ExitCode complain(CliIo& io, ExitCode code, std::string_view line) {
  io.out.flush();
  io.err << "user-manager: " << line << std::endl;
  return code;
}

ExitCode complain(CliIo& io, const Error& error) {
  const bool used_wrongly = error.code == ErrorCode::invalid;
  return complain(io, used_wrongly ? ExitCode::misuse : ExitCode::failed, error_line(error));
}

Result<Config> settings_of(const Invocation& invocation, const CliIo& io) {
  if (invocation.command->about().settings == SettingFlags::none) return Config{};
  return load_config({.flags = invocation.setting_flags,
                      .environment = io.environment,
                      .config_file = invocation.config_file});
}

ExitCode execute(const Invocation& invocation, CliIo& io, const CliBackend& backend) {
  const auto config = settings_of(invocation, io);
  if (!config) return complain(io, config.error());
  const Context context{.io = io, .backend = backend, .config = *config, .json = invocation.json};
  const auto code = invocation.command->run(context);
  if (!code) return complain(io, code.error());
  io.out.flush();
  if (!io.out) return complain(io, ExitCode::failed, "the output could not be written");
  return *code;
}

ExitCode execute_parsed(const Parsed& parsed, CliIo& io, const CliBackend& backend) {
  if (const auto* help = std::get_if<HelpText>(&parsed)) {
    io.out << help->text << std::flush;
    return ExitCode::done;
  }
  if (const auto* wrong = std::get_if<UsageError>(&parsed)) {
    return complain(io, ExitCode::misuse, wrong->line);
  }
  return execute(std::get<Invocation>(parsed), io, backend);
}

}  // namespace

std::vector<CommandGroup> make_commands() {
  std::vector<CommandGroup> all;
  all.push_back(alone(make_serve_command()));
  all.push_back(alone(make_migrate_command()));
  all.push_back(group("user", "create, show, list and change users", make_user_create_command(),
                      make_user_show_command(), make_user_list_command(),
                      make_user_update_command(), make_user_set_password_command(),
                      make_user_set_role_command(), make_user_disable_command(),
                      make_user_enable_command(), make_user_delete_command()));
  all.push_back(alone(make_import_command()));
  all.push_back(alone(make_export_command()));
  all.push_back(group("token", "long-lived tokens of users with the role `service`",
                      make_token_create_command(), make_token_list_command(),
                      make_token_revoke_command()));
  all.push_back(group("keys", "the keys that tokens are signed with", make_keys_list_command(),
                      make_keys_rotate_command(), make_keys_revoke_command()));
  all.push_back(alone(make_backup_command()));
  all.push_back(alone(make_monitor_command()));
  all.push_back(alone(make_config_command()));
  all.push_back(alone(make_version_command()));
  return all;
}

int run_cli(std::span<const char* const> arguments, CliIo& io, const CliBackend& backend) {
  ExitCode code = ExitCode::failed;
  try {
    const auto commands = make_commands();
    code = execute_parsed(Parser{commands}.parse(arguments), io, backend);
  } catch (const std::exception& error) {
    code = complain(io, ExitCode::failed, shown(error.what()));
  }
  return static_cast<int>(code);
}

}  // namespace um
