#include "drivers/sqlite/open_files.hpp"

#include <sys/stat.h>

#include <sqlite3.h>

#include "drivers/sqlite/connection.hpp"

namespace um::sqlite {

std::optional<OpenFiles::Identity> OpenFiles::identity_of(const std::string& file) {
  struct stat found{};
  if (::stat(file.c_str(), &found) != 0) return std::nullopt;
  return Identity{.device = found.st_dev, .inode = found.st_ino};
}

void OpenFiles::throw_moved(const std::string& file) {
  throw SqliteError{SQLITE_READONLY_DBMOVED, file + " is another file now, or none"};
}

// The name is compared with the file of the connection, and with the one that was opened first.
bool OpenFiles::is_the_same(Connection& db) const {
  int moved = 0;
  const int code = ::sqlite3_file_control(db.handle(), "main", SQLITE_FCNTL_HAS_MOVED,
                                          static_cast<void*>(&moved));
  return code == SQLITE_OK && moved == 0 && identity_of(file_) == main_;
}

void OpenFiles::opened(Connection& db) {
  if (!main_) {
    file_ = ::sqlite3_db_filename(db.handle(), "main");
    main_ = identity_of(file_);
  }
  if (!main_ || !is_the_same(db)) {
    moved_ = true;
    throw_moved(file_);
  }
}

void OpenFiles::log_opened() {
  log_ = identity_of(file_ + "-wal");
  index_ = identity_of(file_ + "-shm");
}

void OpenFiles::check(Connection& db) {
  const std::string* lost = nullptr;
  const std::string log = file_ + "-wal";
  const std::string index = file_ + "-shm";
  if (!is_the_same(db)) {
    lost = &file_;
  } else if (!log_ || identity_of(log) != log_) {
    lost = &log;
  } else if (!index_ || identity_of(index) != index_) {
    lost = &index;
  }
  moved_ = lost != nullptr;
  if (lost != nullptr) throw_moved(*lost);
}

void OpenFiles::check_other(Connection& db) const {
  if (!is_the_same(db)) throw_moved(file_);
}

}  // namespace um::sqlite
