#include "cli/database_tools.hpp"

#include "app/deployment.hpp"
#include "app/open_storage.hpp"
#include "storage/postgres/migrator.hpp"
#include "storage/sqlite/migrator.hpp"
#include "storage/sqlite/storage.hpp"

namespace um {
namespace {

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

}  // namespace um
