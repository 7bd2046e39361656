// Which database an import went to, independent of the working directory.
#pragma once

#include <string>

#include "config/config.hpp"

namespace um {

// One line, equal for the same database only. SQLite: the canonical path, and device, inode and
// time of birth of the file, because a file made anew often gets the inode of the removed one; the
// file exists. PostgreSQL: the URL with its password masked.
std::string database_identity(const DatabaseUrl& database);

}  // namespace um
