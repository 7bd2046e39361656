// open_sqlite: a SQLite file with its stores.
//
// Thread safety: as Storage says. The storage outlives everything that uses its stores, and is
// destroyed before the event loops its callers run on.
#pragma once

#include <memory>

#include "base/error.hpp"
#include "storage/sqlite/options.hpp"
#include "storage/storage.hpp"

namespace um {

// conflict: another process serves this file; or rows of an adopted table do not fit (see
// sqlite_migrator.hpp). unavailable: the file cannot be opened or written. invalid: it is not a
// database of this program, or its schema is newer, was changed, or is older and `migrate` is off.
// The detail is one clear line.
Result<std::unique_ptr<Storage>> open_sqlite(SqliteOptions options);

}  // namespace um
