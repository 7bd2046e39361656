// back_up: a consistent copy of a database that others go on reading and writing.
//
// The copy is the state at the moment it begins: all pages are copied in one step of SQLite's
// backup interface, which is one read transaction (of several steps each would start the copy again
// if another connection had committed meanwhile). It is written beside the target, checked (PRAGMA
// integrity_check), synced and only then given its name, so a file with the target's name is always
// complete.
//
// Thread safety: any thread that may block.
#pragma once

#include <filesystem>

#include "base/error.hpp"

namespace um::sqlite {

struct BackupRequest {
  std::filesystem::path source;
  std::filesystem::path target;  // must not exist
};

// conflict: the target exists, or the source has another name. unavailable: reading or writing
// failed, or the copy is not sound. On an error nothing is left behind.
Result<void> back_up(const BackupRequest& request);

}  // namespace um::sqlite
