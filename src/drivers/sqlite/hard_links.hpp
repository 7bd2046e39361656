// A database file must have one name only. SQLite keeps its log beside the name by which a file was
// opened: under another name (a hard link) programs miss what is in that log, write one of their
// own, and destroy the database (sqlite.org, "How To Corrupt An SQLite Database File", on multiple
// links to the same file). A lock file beside one name does not stop them either.
#pragma once

#include <filesystem>

#include "base/error.hpp"

namespace um::sqlite {

// conflict: the file has another name. invalid: it is a directory. A file that does not exist has
// no name. Thread safety: any thread; looks at the file system.
Result<void> refuse_hard_links(const std::filesystem::path& file);

}  // namespace um::sqlite
