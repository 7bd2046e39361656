// back_up: a consistent copy of a database that others go on reading and writing.
//
// The copy is the state at the moment it begins: one read transaction holds that snapshot while
// pages are copied (SQLite's backup interface alone would start again at every commit of another
// connection). It is written beside the target, checked (PRAGMA integrity_check), synced and only
// then given its name, so a file with the target's name is always complete. Blocks; for a thread
// that may.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>

#include "base/error.hpp"

namespace um::sqlite {

struct BackupProgress {
  std::int64_t pages_done = 0;
  std::int64_t pages_total = 0;
};

struct BackupRequest {
  std::filesystem::path source;
  std::filesystem::path target;                           // must not exist
  std::function<void(const BackupProgress&)> progress{};  // between two pieces; may be empty
};

// conflict: the target exists, or the source has another name. unavailable: reading or writing
// failed, or the copy is not sound. On an error nothing is left behind.
Result<void> back_up(const BackupRequest& request);

}  // namespace um::sqlite
