// Migration: one numbered step of a schema, forward only. The steps are the files
// storage/sql/<database>/NNNN_name.sql, compiled into the program. A file that was released is
// never changed: databases remember the checksum of what they applied.
#pragma once

#include <span>
#include <string_view>

namespace um {

struct Migration {
  int number;               // 1, 2, 3 … without a gap
  std::string_view name;    // "0001_initial"
  std::string_view sha256;  // of the file, lower-case hex
  std::string_view sql;
};

// Ascending.
namespace sqlite_schema {
std::span<const Migration> migrations();
}
namespace postgres_schema {
std::span<const Migration> migrations();
}

}  // namespace um
