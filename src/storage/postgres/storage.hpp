// open_postgres: a PostgreSQL database with its stores.
//
// Thread safety: as Storage says. The storage outlives everything that uses its stores; the loops
// it was given run until it is destroyed or have stopped for good.
#pragma once

#include <memory>

#include "base/error.hpp"
#include "storage/postgres/options.hpp"
#include "storage/storage.hpp"

namespace um {

// invalid: the URL is unusable, or the schema is not the newest (and `migrate` is off), newer than
// this program knows, or was changed. unavailable: the database cannot be reached, or is a standby.
// conflict: see postgres_migrator.hpp. The detail is one clear line without credentials.
Result<std::unique_ptr<Storage>> open_postgres(PostgresOptions options);

}  // namespace um
