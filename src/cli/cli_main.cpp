// The command line of this process: its streams, terminal and signals, and the real backend.
#include <cstdio>
#include <iostream>
#include <unistd.h>

#include "app/deployment.hpp"
#include "app/open_storage.hpp"
#include "app/serve.hpp"
#include "cli/cli.hpp"
#include "cli/messages.hpp"
#include "cli/terminal.hpp"
#include "storage/postgres/migrator.hpp"
#include "storage/sqlite/migrator.hpp"
#include "storage/sqlite/storage.hpp"

namespace um {
namespace {

// Writes warnings of the layers below a command to standard error at once. A logging thread would
// receive the signals that a command waits for.
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

MigrateReport report_of(const MigrationPlan& plan) {
  MigrateReport report{.migrations = plan.pending, .settings = plan.settings};
  const auto misfits = static_cast<std::int64_t>(plan.misfits.size());
  if (plan.adoption) report.adopted_users = plan.rows_to_adopt - misfits;
  for (const MisfitRow& row : plan.misfits) {
    report.refused.push_back({.row = row.id, .email = row.email, .reason = row.reason});
  }
  return report;
}

template <class Migrator>
Result<MigrateReport> migrate_with(const Migrator& migrator, MigrateRequest request) {
  const auto plan = migrator.pending();
  if (!plan) return fail(plan.error());
  const bool refused = !plan->misfits.empty() && !request.quarantine;
  if (request.dry_run || refused) return report_of(*plan);
  using enum Misfits;
  const auto done = migrator.apply(request.quarantine ? quarantine : refuse);
  if (!done) return fail(done.error());
  return report_of(*done);
}

}  // namespace

Result<MigrateReport> migrate_database(const Config& config, const Clock& clock,
                                       MigrateRequest request) {
  if (config.database.kind == DatabaseUrl::Kind::postgresql)
    return migrate_with(
        PostgresMigrator{{.url = config.database.url, .times = times_to_store(config)}}, request);
  if (!request.dry_run) make_default_directory(config.database);
  return migrate_with(SqliteMigrator{{.file = config.database.path, .clock = &clock}}, request);
}

Result<void> back_up_database(const Config& config, const std::string& file) {
  if (config.database.kind == DatabaseUrl::Kind::postgresql)
    return fail(ErrorCode::invalid,
                "backup copies a SQLite file; for PostgreSQL use pg_dump, or pg_basebackup and its "
                "archive");
  if (auto there = check_database_exists(config.database); !there) return there;
  return back_up_sqlite({.source = config.database.path, .target = file});
}

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
