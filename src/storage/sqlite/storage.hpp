// open_sqlite: opens a SQLite file with its stores. back_up_sqlite: copies a file that is in use.
//
// Thread safety: as storage.hpp says. The storage outlives everything that uses its stores, and is
// destroyed before the event loops that its callers run on.
#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <string_view>

#include "base/clock.hpp"
#include "base/database_times.hpp"
#include "base/error.hpp"
#include "drivers/sqlite/backup.hpp"
#include "storage/storage.hpp"

namespace um {

struct SqliteOptions {
  std::filesystem::path file;  // its folder exists
  const Clock* clock;          // outlives the storage

  // serve: this process owns the file, and a second one with this option is refused. Other commands
  // leave it off and write while a server runs.
  bool exclusive_service = false;
  // Apply pending migrations, making the file if there is none. Off: a schema that is not the
  // newest is an error.
  bool migrate = true;

  std::size_t look_up_threads = 2;
  std::size_t scan_threads = 1;  // search, list, count: separate, so look-ups never wait for them
  std::size_t look_up_queue = 4096;
  std::size_t scan_queue = 256;
  std::size_t write_queue = 4096;
  // P of docs/consistency.md: how often the feed checks for commits of other programs.
  std::chrono::nanoseconds poll_interval = kPollInterval;
  // Receives one line when trouble with the file begins and one when it ends; called from any
  // thread. May be empty.
  std::function<void(std::string_view)> log{};
  const char* vfs = nullptr;  // for tests: the name of a SQLite VFS
};

// conflict: another process serves this file; or rows of an adopted table do not fit (see
// migrator.hpp). unavailable: the file cannot be opened or written. invalid: it is not a database
// of this program, or its schema is newer, was changed, or is older and `migrate` is off. The
// detail is one clear line.
Result<std::unique_ptr<Storage>> open_sqlite(SqliteOptions options);

// The `backup` command: copies a database that a server may be using. Blocks until the copy is
// done. conflict: the target exists. unavailable: the target cannot be written, or the copy is not
// sound; then nothing is left behind.
using SqliteBackup = sqlite::BackupRequest;
inline Result<void> back_up_sqlite(const SqliteBackup& request) {
  return sqlite::back_up(request);
}

}  // namespace um
