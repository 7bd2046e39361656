// PostgresMigrator: updates the schema of a PostgreSQL database to this program's. It applies the
// missing migrations in one transaction, adopts a database of the Go program, and stores the times
// of the deployment (cache_settings).
//
// Two migrators at once: an advisory lock makes the second one wait, and then it has nothing to do.
// The owner of the database has all necessary privileges; only a superuser can add the event
// trigger.
//
// Thread safety: any thread. All functions block: they are for start-up and the command line.
// Errors: invalid (an unusable URL; not UTF-8; older than PostgreSQL 15; tables of another program
// in the way; a schema that is newer or was changed), conflict (rows do not fit and quarantine was
// not requested; views or foreign keys depend on the table to adopt), unavailable (the server
// cannot be reached, is a standby, or refuses a statement).
#pragma once

#include <optional>
#include <string>

#include "base/error.hpp"
#include "base/secret.hpp"
#include "storage/change_feed.hpp"
#include "storage/migration.hpp"

namespace um {

class PostgresMigrator {
 public:
  struct Options {
    Secret url;  // libpq's
    // To be stored in the database; nullopt: a new database gets the defaults, another one keeps
    // its times.
    std::optional<CacheTimes> times{};
  };
  explicit PostgresMigrator(Options options) : options_{std::move(options)} {}

  // The plan of apply(). Changes nothing.
  Result<MigrationPlan> pending() const;
  // Returns the plan that it carried out. All or nothing.
  Result<MigrationPlan> apply(Misfits misfits) const;

 private:
  Options options_;
};

// The times that the database stores. invalid: it has no schema of this program.
Result<CacheTimes> read_cache_times(const Secret& url);

// The settings that all instances on one database have in common (cache_settings). `migrate` writes
// the times; the key is made with the table.
struct PostgresDeployment {
  CacheTimes times;
  Secret deployment_key;  // 32 bytes
};
// timeout: the server cannot be asked. internal: it refused a statement.
Result<PostgresDeployment> read_deployment(const Secret& url);

// Checks `url` as far as possible without connecting. invalid: the detail names the fault without
// quoting the URL.
Result<void> check_postgres_url(const Secret& url);

}  // namespace um
