// FileLock: at most one holder of a lock file, across processes; given back by the kernel when its
// holder ends, however it ends. flock(2): bound to the open file, so it does not interfere with
// SQLite's own locks.
//
// Thread safety: take() from any thread, and it does not wait; a holder in the same process counts
// like any other.
#pragma once

#include <filesystem>
#include <utility>

#include "base/error.hpp"

namespace um::sqlite {

class FileLock {
 public:
  // conflict: somebody else holds it; the detail names their process id. unavailable: the file
  // cannot be made.
  static Result<FileLock> take(const std::filesystem::path& file);

  FileLock(FileLock&& other) noexcept : descriptor_{std::exchange(other.descriptor_, -1)} {}
  FileLock& operator=(FileLock&&) = delete;
  ~FileLock();

 private:
  explicit FileLock(int descriptor) : descriptor_{descriptor} {}
  int descriptor_;
};

}  // namespace um::sqlite
