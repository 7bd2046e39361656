#include "cli/database_identity.hpp"

#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <system_error>

#include <fmt/format.h>

#include "cli/messages.hpp"

namespace um {

std::string database_identity(const DatabaseUrl& database) {
  if (database.kind != DatabaseUrl::Kind::sqlite) return shown(database.masked());
  std::error_code problem;
  const auto path = std::filesystem::canonical(database.path, problem);
  struct statx found{};
  if (problem || ::statx(AT_FDCWD, path.c_str(), 0, STATX_INO | STATX_BTIME, &found) != 0)
    return shown(database.masked());
  std::string birth = "unknown";  // not every file system keeps it
  if ((found.stx_mask & STATX_BTIME) != 0)
    birth = fmt::format("{}.{:09}", found.stx_btime.tv_sec, found.stx_btime.tv_nsec);
  return fmt::format("sqlite:{} device {}:{} inode {} born {}", shown(path.string()),
                     found.stx_dev_major, found.stx_dev_minor, found.stx_ino, birth);
}

}  // namespace um
