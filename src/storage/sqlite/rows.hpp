// Converts between rows of the SQLite schema and values of the program. Column lists: queries.hpp.
#pragma once

#include <optional>
#include <string>

#include "drivers/sqlite/connection.hpp"
#include "user/session.hpp"
#include "user/user.hpp"

namespace um {

inline std::int64_t to_micros(WallTime time) {
  return time.time_since_epoch().count();
}
inline WallTime from_micros(std::int64_t micros) {
  return WallTime{std::chrono::microseconds{micros}};
}

// The user or session in the columns from `column` on. Throws SqliteError, which callers see as an
// internal error, for a row that breaks the rules of this program, so another program wrote it.
User read_user(const sqlite::Run& run, int column);
Session read_session(const sqlite::Run& run, int column);

}  // namespace um
