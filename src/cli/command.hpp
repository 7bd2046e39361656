// Command: one command of the program. Each has a file; commands.hpp lists them.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "cli/backend.hpp"
#include "cli/io.hpp"
#include "cli/options.hpp"

namespace um {

enum class ExitCode { done = 0, failed = 1, misuse = 2 };

// Which settings are flags of a command. Its environment variables and file are always read.
// schema: also those that are kept in the database for all instances.
enum class SettingFlags { none, database, schema, all };

// What a running command has.
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
  // ErrorCode::invalid ends with misuse, every other error with failed; its line is printed by the
  // caller. A command that has said itself what failed returns the code.
  virtual Result<ExitCode> run(const Context& context) = 0;
};

// "user create", "user list": commands under one name; a name of its own for a single one.
struct CommandGroup {
  std::string_view name;  // empty: the only command stands by itself
  std::string_view summary;
  std::vector<std::unique_ptr<Command>> commands;
};

}  // namespace um
