// The command line of this process: its streams, terminal and signals, and the real composition
// root.
#include <cstdio>
#include <iostream>
#include <unistd.h>

#include "app/open_storage.hpp"
#include "app/serve.hpp"
#include "cli/cli.hpp"
#include "cli/database_tools.hpp"
#include "cli/messages.hpp"
#include "cli/terminal.hpp"

namespace um {
namespace {

// Commands log what goes wrong below them to standard error, at once: they are short, and a logging
// thread would take the signals that a command waits for.
class CommandLogger final : public Logger {
 public:
  bool enabled(LogLevel level) const override { return level >= LogLevel::warn; }
  void write(LogLevel, std::string_view message, std::span<const LogField> fields) override {
    std::string line = "user-manager: " + shown(message);
    for (const LogField& field : fields) {
      const auto* text = std::get_if<std::string_view>(&field.value);
      if (text != nullptr) line += ": " + shown(*text);
    }
    line += '\n';
    std::fwrite(line.data(), 1, line.size(), stderr);
  }
};

}  // namespace

int cli_main(std::span<const char* const> arguments) {
  std::ios::sync_with_stdio(false);
  const SystemClock clock;
  CommandLogger log;
  CliIo io{.in = std::cin,
           .out = std::cout,
           .err = std::cerr,
           .clock = clock,
           .environment = process_environment(),
           .in_is_terminal = ::isatty(STDIN_FILENO) == 1,
           .err_is_terminal = ::isatty(STDERR_FILENO) == 1,
           .ask_secret = ask_on_terminal,
           .watch_interrupts = watch_signals};
  CliBackend backend;
  backend.open_storage = [&](const Config& config) {
    return open_storage({.config = config, .clock = clock, .log = log, .use = StorageUse::tool});
  };
  backend.serve = [](const Config& config, ServeRequest request, CliIo& streams) {
    return serve({.config = config, .migrate = request.migrate},
                 {.out = streams.out, .err = streams.err});
  };
  backend.migrate = [&](const Config& config, MigrateRequest request) {
    return migrate_database(config, clock, request);
  };
  backend.backup = back_up_database;
  return run_cli(arguments, io, backend);
}

}  // namespace um
