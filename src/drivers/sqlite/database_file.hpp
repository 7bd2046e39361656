// The files of a database: the lock of the serving process, the names that are allowed, and whether
// the files are still there.
//
// A database is a file, its log (-wal) and the index of the log (-shm), which SQLite finds by the
// name of the file. Names that change, or that are not the only ones, destroy it (sqlite.org, "How
// To Corrupt An SQLite Database File", on multiple links to the same file and on unlinking or
// renaming a file while in use).
#pragma once

#include <atomic>
#include <filesystem>
#include <optional>
#include <string>
#include <sys/types.h>
#include <utility>

#include "base/error.hpp"

namespace um::sqlite {

class Connection;

// At most one holder of a lock file, across processes; the kernel gives it back when its holder
// ends, however it ends. flock(2): bound to the open file, so it does not interfere with SQLite's
// own locks.
//
// Thread safety: take() from any thread, and it does not wait; a holder in the same process counts
// like any other.
class FileLock {
 public:
  // conflict: it has a holder; the detail names the process. unavailable: the file cannot be made.
  static Result<FileLock> take(const std::filesystem::path& file);

  FileLock(FileLock&& other) noexcept : descriptor_{std::exchange(other.descriptor_, -1)} {}
  FileLock& operator=(FileLock&&) = delete;
  ~FileLock();

 private:
  explicit FileLock(int descriptor) : descriptor_{descriptor} {}
  int descriptor_;
};

// A file with several names (hard links) is no database: programs that open it under another name
// miss the transactions in the log beside the first name, write a log of their own, and destroy the
// database. A lock file beside one name does not stop them either.
//
// conflict: the file has another name. invalid: it is a directory. A file that does not exist has
// no name. Thread safety: any thread; looks at the file system.
Result<void> refuse_hard_links(const std::filesystem::path& file);

// Whether the files of an open database are still where they were opened.
//
// A database that is moved, replaced or deleted while it is open goes on working through its
// descriptors: writes would be acknowledged into files that no program finds any more, and a
// program that opens the path meanwhile would see another database, or make a second log. So the
// identity (device and inode) of the three files is compared with the files under their names. The
// files are never opened for that: closing a descriptor of a database drops the locks that SQLite
// holds in this process.
//
// Thread safety: moved() and check_other() from any thread once opened() has returned; the rest on
// the thread of the writer. Errors: SqliteError with Fault::moved.
class OpenFiles {
 public:
  // After the writer opened its connection, or opened it again, and before it reads or writes.
  // Throws if the connection is of another file than the first one.
  void opened(Connection& db);
  // After the connection was put into WAL mode and read, so that there is a log.
  void log_opened();
  // Throws while one of the files is not in its place. Takes some microseconds.
  void check(Connection& db);
  // The result of the last check().
  bool moved() const { return moved_.load(std::memory_order_relaxed); }
  // Throws if this connection, which was just opened, is not of the same file.
  void check_other(Connection& db) const;
  // For callers that find moved().
  [[noreturn]] static void throw_moved(const std::string& file);

 private:
  struct Identity {
    dev_t device;
    ino_t inode;
    bool operator==(const Identity&) const = default;
  };
  static std::optional<Identity> identity_of(const std::string& file);
  bool is_the_same(Connection& db) const;

  std::string file_;
  std::optional<Identity> main_;  // set once
  std::optional<Identity> log_;
  std::optional<Identity> index_;
  std::atomic<bool> moved_{false};
};

}  // namespace um::sqlite
