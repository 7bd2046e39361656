// PostgresMigrator: brings the schema of a PostgreSQL database up to this program's: the migrations
// that are missing, all in one transaction, and the adoption of a database of the Go program. It
// also keeps the times of the deployment (cache_settings) at what it is told.
//
// Two of them at once: one does it, the other waits and finds nothing to do (an advisory lock). The
// owner of the database may do everything; only as a superuser it adds an event trigger.
//
// Thread safety: none; it blocks, so it is for start-up and the command line.
// Errors: invalid (not UTF-8; older than PostgreSQL 15; tables of another program in the way; a
// schema that is newer or was changed), conflict (rows do not fit and quarantine was not asked for;
// views or foreign keys hang on the table to adopt), unavailable (it cannot be reached, is a
// standby, or does not let us).
#pragma once

#include <optional>
#include <string>

#include "base/error.hpp"
#include "base/secret.hpp"
#include "storage/cache_times.hpp"
#include "storage/migration_plan.hpp"

namespace um {

class PostgresMigrator {
 public:
  struct Options {
    Secret url;  // libpq's
    // Stored in the database; nullopt: a new one gets the defaults, another keeps what it has.
    std::optional<CacheTimes> times{};
  };
  explicit PostgresMigrator(Options options) : options_{std::move(options)} {}

  // What apply() would do. Changes nothing.
  Result<MigrationPlan> pending() const;
  // What it did. All or nothing.
  Result<MigrationPlan> apply(Misfits misfits) const;

 private:
  Options options_;
};

// The times that the database keeps. invalid: it has no schema of this program.
Result<CacheTimes> read_cache_times(const Secret& url);

}  // namespace um
