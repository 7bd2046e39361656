// Opens the database that a URL means: the only file that knows both adapters.
#pragma once

#include <memory>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "config/config.hpp"
#include "storage/storage.hpp"
#include "telemetry/log.hpp"

namespace um {

enum class StorageUse {
  serve,  // migrates SQLite; with SQLite one process at a time
  tool,   // a command beside a running server, or without one; makes and migrates nothing
};

// Makes the directory of the default path. Any other directory must exist, because a mistyped path
// should not become an empty database.
void make_default_directory(const DatabaseUrl& database);
// unavailable: the file does not exist. REQUIRES: SQLite.
Result<void> check_database_exists(const DatabaseUrl& database);

struct OpenStorage {
  const Config& config;  // these outlive the storage
  const Clock& clock;
  Logger& log;
  StorageUse use = StorageUse::tool;
  // Where PostgreSQL's connections live; none: on a loop of the storage's own.
  std::vector<boost::asio::io_context*> loops{};
};

// unavailable: it cannot be opened, or another server owns the file; conflict: its schema is of
// another version, or it needs `migrate`. The detail names the remedy.
Result<std::unique_ptr<Storage>> open_storage(const OpenStorage& request);

}  // namespace um
