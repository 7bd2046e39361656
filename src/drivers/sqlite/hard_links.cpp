#include "drivers/sqlite/hard_links.hpp"

namespace um::sqlite {

Result<void> refuse_hard_links(const std::filesystem::path& file) {
  std::error_code failed;
  if (std::filesystem::is_directory(file, failed)) {
    return fail(ErrorCode::invalid,
                file.string() + " is a directory; the path of a file is needed");
  }
  const auto names = std::filesystem::hard_link_count(file, failed);
  if (failed || names <= 1) return {};  // what is wrong with it otherwise, opening it tells better
  return fail(ErrorCode::conflict,
              file.string() + " has " + std::to_string(names) +
                  " names (hard links); SQLite would keep a log for each of them and destroy the "
                  "database: copy the file instead, or remove the other names");
}

}  // namespace um::sqlite
