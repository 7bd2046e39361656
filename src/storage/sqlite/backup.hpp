// The `backup` command: a copy of a SQLite database that a server may be using at the same time.
#pragma once

#include "drivers/sqlite/backup.hpp"

namespace um {

using SqliteBackup = sqlite::BackupRequest;

// conflict: the target exists. unavailable: it cannot be written, or the copy is not sound; then
// nothing is left behind. Blocks as long as copying takes.
inline Result<void> back_up_sqlite(const SqliteBackup& request) {
  return sqlite::back_up(request);
}

}  // namespace um
