// OpenFiles: whether the files of an open database still stand where they were opened.
//
// A database that is moved, replaced or deleted while it is open goes on working through its
// descriptors: writes would be acknowledged into files that nobody finds any more, and a program
// that opens the path meanwhile would see another database, or make a second log (sqlite.org, "How
// To Corrupt An SQLite Database File", on unlinking or renaming a file while in use). So the
// identity (device and inode) of the database, its log and its index of the log is compared with
// what is found under their names. The files are never opened for that: closing a descriptor of a
// database drops the locks that SQLite holds in this process.
//
// Thread safety: moved() and check_other() from any thread once opened() has returned; the rest on
// the writer's thread. Errors: SqliteError with Fault::moved.
#pragma once

#include <atomic>
#include <optional>
#include <string>
#include <sys/types.h>

namespace um::sqlite {

class Connection;

class OpenFiles {
 public:
  // The writer's connection was opened, or opened again; nothing was read or written yet. Throws if
  // it is of another file than the first one.
  void opened(Connection& db);
  // It is in WAL mode now and has been read, so that there is a log.
  void log_opened();
  // Throws while one of the files is not in its place; some microseconds.
  void check(Connection& db);
  // What check() found last.
  bool moved() const { return moved_.load(std::memory_order_relaxed); }
  // Throws if this connection, which was just opened, is not of the same file.
  void check_other(Connection& db) const;
  // For those who find moved().
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
