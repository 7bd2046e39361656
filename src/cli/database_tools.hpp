// What `migrate` and `backup` do to a database file, below the stores.
#pragma once

#include <string>

#include "cli/backend.hpp"

namespace um {

// conflict, unavailable, invalid: see storage/sqlite/migrator.hpp. Rows that do not fit are no
// error but part of the report; without quarantine nothing was changed then.
Result<MigrateReport> migrate_database(const Config& config, const Clock& clock,
                                       MigrateRequest request);

// conflict: `file` exists. unavailable: there is no database, or the copy cannot be written.
Result<void> back_up_database(const Config& config, const std::string& file);

}  // namespace um
