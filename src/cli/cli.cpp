#include "cli/cli.hpp"

#include <exception>
#include <ostream>

#include "cli/commands.hpp"
#include "cli/messages.hpp"
#include "cli/parser.hpp"

namespace um {
namespace {

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

int run_cli(std::span<const char* const> arguments, CliIo& io, const CliBackend& backend) {
  ExitCode code = ExitCode::failed;
  try {
    const auto commands = make_commands();
    code = execute_parsed(parse_arguments(arguments, commands), io, backend);
  } catch (const std::exception& error) {
    code = complain(io, ExitCode::failed, shown(error.what()));
  }
  return static_cast<int>(code);
}

}  // namespace um
