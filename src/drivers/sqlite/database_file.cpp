#include "drivers/sqlite/database_file.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "drivers/sqlite/connection.hpp"

namespace um::sqlite {

namespace {

std::string holder(int descriptor) {
  std::array<char, 32> text{};
  const ssize_t size = ::pread(descriptor, text.data(), text.size() - 1, 0);
  return size > 0 ? std::string{text.data(), static_cast<std::size_t>(size)} : "unknown";
}

}  // namespace

Result<FileLock> FileLock::take(const std::filesystem::path& file) {
  const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) {
    return fail(ErrorCode::unavailable,
                "cannot open " + file.string() + ": " + std::strerror(errno));
  }
  FileLock lock{descriptor};
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    return fail(ErrorCode::conflict, file.string() + " is locked by process " + holder(descriptor));
  }
  // For the message of the next one that asks; the lock itself does not depend on it.
  const std::string pid = std::to_string(::getpid());
  if (::ftruncate(descriptor, 0) != 0 ||
      ::pwrite(descriptor, pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size())) {
    return fail(ErrorCode::unavailable,
                "cannot write " + file.string() + ": " + std::strerror(errno));
  }
  return lock;
}

FileLock::~FileLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Result<void> refuse_hard_links(const std::filesystem::path& file) {
  std::error_code failed;
  if (std::filesystem::is_directory(file, failed)) {
    return fail(ErrorCode::invalid,
                file.string() + " is a directory; the path of a file is needed");
  }
  const auto names = std::filesystem::hard_link_count(file, failed);
  if (failed || names <= 1) return {};  // other faults are reported when it is opened
  return fail(ErrorCode::conflict,
              file.string() + " has " + std::to_string(names) +
                  " names (hard links); SQLite would keep a log for each of them and destroy the "
                  "database: copy the file instead, or remove the other names");
}

std::optional<OpenFiles::Identity> OpenFiles::identity_of(const std::string& file) {
  struct stat found{};
  if (::stat(file.c_str(), &found) != 0) return std::nullopt;
  return Identity{.device = found.st_dev, .inode = found.st_ino};
}

void OpenFiles::throw_moved(const std::string& file) {
  throw SqliteError{SQLITE_READONLY_DBMOVED, file + " is another file now, or none"};
}

// The file under the name must be that of the connection, and the one that was opened first.
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
