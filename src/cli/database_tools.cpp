#include "cli/database_tools.hpp"

#include <filesystem>

#include "storage/sqlite_backup.hpp"
#include "storage/sqlite_migrator.hpp"

namespace um {
namespace {

// The directory of the default database; every other path must be there, because a mistyped one
// should not become an empty database.
void make_default_directory(const std::filesystem::path& file) {
  std::error_code ignored;
  if (file == std::filesystem::path{DatabaseUrl{}.path}) {
    std::filesystem::create_directories(file.parent_path(), ignored);
  }
}

MigrateReport report_of(const MigrationPlan& plan) {
  MigrateReport report{.migrations = plan.pending};
  const auto misfits = static_cast<std::int64_t>(plan.misfits.size());
  if (plan.adoption) report.adopted_users = plan.rows_to_adopt - misfits;
  for (const MisfitRow& row : plan.misfits) {
    report.refused.push_back({.row = row.id, .email = row.email, .reason = row.reason});
  }
  return report;
}

}  // namespace

Result<MigrateReport> migrate_database(const Config& config, const Clock& clock,
                                       MigrateRequest request) {
  if (!request.dry_run) make_default_directory(config.database.path);
  const SqliteMigrator migrator{{.file = config.database.path, .clock = &clock}};
  const auto plan = migrator.pending();
  if (!plan) return fail(plan.error());
  const bool refused = !plan->misfits.empty() && !request.quarantine;
  if (request.dry_run || refused) return report_of(*plan);
  using enum Misfits;
  const auto done = migrator.apply(request.quarantine ? quarantine : refuse);
  if (!done) return fail(done.error());
  return report_of(*done);
}

Result<void> back_up_database(const Config& config, const std::string& file) {
  return back_up_sqlite({.source = config.database.path, .target = file});
}

}  // namespace um
