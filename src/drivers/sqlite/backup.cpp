#include "drivers/sqlite/backup.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "drivers/sqlite/connection.hpp"
#include "drivers/sqlite/database_file.hpp"

namespace um::sqlite {

namespace {

constexpr int kAllPages = -1;
constexpr std::chrono::seconds kLockPatience{5};

// Removes the unfinished copy unless it was given its name.
class Partial {
 public:
  explicit Partial(std::filesystem::path path) : path_{std::move(path)} {}
  Partial(const Partial&) = delete;
  Partial& operator=(const Partial&) = delete;
  ~Partial() {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
    std::filesystem::remove(path_.string() + "-journal", ignored);
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

std::unexpected<Error> failed(const std::string& doing) {
  return fail(ErrorCode::unavailable, doing + ": " + std::strerror(errno));
}

// Makes the file, empty and readable by its owner only. Fails if it exists.
Result<void> create(const std::filesystem::path& file) {
  const int descriptor = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (descriptor < 0) return failed("cannot create " + file.string());
  ::close(descriptor);
  return {};
}

Result<void> sync(const std::filesystem::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return failed("cannot open " + path.string());
  const int code = ::fsync(descriptor);
  ::close(descriptor);
  if (code != 0) return failed("cannot sync " + path.string());
  return {};
}

void copy_pages(Connection& source, Connection& target) {
  sqlite3_backup* backup = ::sqlite3_backup_init(target.handle(), "main", source.handle(), "main");
  if (backup == nullptr) throw SqliteError::of(target.handle(), "backup");
  const int code = ::sqlite3_backup_step(backup, kAllPages);
  ::sqlite3_backup_finish(backup);
  if (code != SQLITE_DONE) throw SqliteError::of(target.handle(), "backup");
}

Result<void> copy(const BackupRequest& request, const std::filesystem::path& partial) {
  try {
    Connection source{{.file = request.source,
                       .mode = Connection::Mode::read_only,
                       .busy_timeout = kLockPatience}};
    Connection target{{.file = partial, .mode = Connection::Mode::read_write}};
    copy_pages(source, target);
    // The copy says "WAL" in its header; without it the backup is one file and nothing beside it.
    target.execute("PRAGMA journal_mode = DELETE");
    if (target.text("PRAGMA integrity_check") != "ok") {
      return fail(ErrorCode::unavailable,
                  "the copy of " + request.source.string() + " is not sound");
    }
  } catch (const SqliteError& error) {
    Error described = to_error(error);
    described.detail += std::string{" ("} + error.what() + ")";
    return fail(std::move(described));
  }
  return sync(partial);
}

}  // namespace

Result<void> back_up(const BackupRequest& request) {
  if (std::filesystem::exists(std::filesystem::symlink_status(request.target))) {
    return fail(ErrorCode::conflict, request.target.string() + " exists");
  }
  if (auto alone = refuse_hard_links(request.source); !alone) return alone;
  const std::filesystem::path partial_path = request.target.string() + ".partial";
  if (auto created = create(partial_path); !created) return created;
  const Partial partial{partial_path};
  if (auto copied = copy(request, partial.path()); !copied) return copied;
  // Refuses to replace a file that appeared meanwhile.
  if (::renameat2(AT_FDCWD, partial.path().c_str(), AT_FDCWD, request.target.c_str(),
                  RENAME_NOREPLACE) != 0) {
    if (errno == EEXIST) return fail(ErrorCode::conflict, request.target.string() + " exists");
    return failed("cannot name " + request.target.string());
  }
  const auto folder = request.target.parent_path();
  return sync(folder.empty() ? std::filesystem::path{"."} : folder);
}

}  // namespace um::sqlite
