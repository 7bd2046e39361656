// SqliteMigrator: updates the schema of a SQLite file to this program's. It applies the missing
// migrations in one transaction and adopts a database of the Go program.
//
// Thread safety: none; it blocks, so it is for start-up and the command line.
// Errors: invalid (not a database of this program; a schema that is newer or was changed), conflict
// (rows do not fit and quarantine was not requested), unavailable (the file cannot be opened, read
// or written).
#pragma once

#include "base/error.hpp"
#include "storage/migration.hpp"
#include "storage/sqlite/storage.hpp"

namespace um {

class SqliteMigrator {
 public:
  // Uses file, clock and vfs of the options.
  explicit SqliteMigrator(SqliteOptions options) : options_{std::move(options)} {}

  // The plan of apply(). Changes nothing; a file that does not exist is not made.
  Result<MigrationPlan> pending() const;

  // Returns the plan that it carried out. All or nothing. A new file can be read by its owner only.
  Result<MigrationPlan> apply(Misfits misfits) const;

 private:
  SqliteOptions options_;
};

}  // namespace um
