// Command: one command of the program, and the list of all of them. A file makes one command, or a
// few that belong together.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "cli/io.hpp"

namespace um {

// How a command says which arguments it takes, without the headers of the parser.
class Options {
 public:
  struct Spec {
    std::string_view name;           // "--email"; for a positional one "USER"
    std::string_view help;           // a phrase, with default and unit
    std::string_view placeholder{};  // of the value, in the help: "ADDRESS"
  };
  // Targets outlive parsing; they keep their value if the option is not given.
  virtual ~Options() = default;
  virtual void text(Spec spec, std::optional<std::string>& target) = 0;
  virtual void required_text(Spec spec, std::string& target) = 0;
  virtual void flag(Spec spec, bool& target) = 0;
  virtual void positional(Spec spec, std::string& target) = 0;
  virtual void positionals(Spec spec, std::vector<std::string>& targets) = 0;  // one or more
  virtual void optional_positional(Spec spec, std::optional<std::string>& target) = 0;
  // Accepted so that it can be refused with a reason; not shown in the help.
  virtual void hidden(Spec spec, std::optional<std::string>& target) = 0;
};

enum class ExitCode { done = 0, failed = 1, misuse = 2 };

// Which settings are flags of a command; the environment and the file are always read. schema: also
// the settings that are kept in the database for all instances.
enum class SettingFlags { none, database, schema, all };

// The environment of a running command.
struct Context {
  CliIo& io;
  const CliBackend& backend;
  const Config& config;  // of a command with SettingFlags::none: the defaults
  bool json;             // --json
};

class Command {
 public:
  struct About {
    std::string_view name;
    std::string_view summary;
    std::string_view examples{};  // lines, without indentation
    SettingFlags settings = SettingFlags::database;
    bool has_json = true;  // --json; without it the option is unknown
  };
  virtual ~Command() = default;
  virtual About about() const = 0;
  virtual void declare(Options&) {}
  // ErrorCode::invalid ends with misuse, every other error with failed; the caller prints the line
  // of the error. A command that has printed its own message returns the code.
  virtual Result<ExitCode> run(const Context& context) = 0;
};

// Commands under one name, such as "user create" and "user list".
struct CommandGroup {
  std::string_view name;  // empty: the only command stands by itself
  std::string_view summary;
  std::vector<std::unique_ptr<Command>> commands;
};

// In the order in which the help lists them.
std::unique_ptr<Command> make_serve_command();
std::unique_ptr<Command> make_migrate_command();
std::unique_ptr<Command> make_user_create_command();
std::unique_ptr<Command> make_user_show_command();
std::unique_ptr<Command> make_user_list_command();
std::unique_ptr<Command> make_user_update_command();
std::unique_ptr<Command> make_user_set_password_command();
std::unique_ptr<Command> make_user_set_role_command();
std::unique_ptr<Command> make_user_disable_command();
std::unique_ptr<Command> make_user_enable_command();
std::unique_ptr<Command> make_user_delete_command();
std::unique_ptr<Command> make_import_command();
std::unique_ptr<Command> make_export_command();
std::unique_ptr<Command> make_token_create_command();
std::unique_ptr<Command> make_token_list_command();
std::unique_ptr<Command> make_token_revoke_command();
std::unique_ptr<Command> make_keys_list_command();
std::unique_ptr<Command> make_keys_rotate_command();
std::unique_ptr<Command> make_keys_revoke_command();
std::unique_ptr<Command> make_backup_command();
std::unique_ptr<Command> make_monitor_command();
std::unique_ptr<Command> make_config_command();
std::unique_ptr<Command> make_version_command();

std::vector<CommandGroup> make_commands();

}  // namespace um
