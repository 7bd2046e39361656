// Between rows of the PostgreSQL schema and values of the program. Column lists:
// postgres_queries.hpp. Times are read as the server writes them with DateStyle ISO.
//
// Thread safety: pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "drivers/pg/rows.hpp"
#include "storage/signing_key_store.hpp"
#include "user/session.hpp"
#include "user/user.hpp"

namespace um {

// "2026-11-22 01:35:29.123456+00", the offset with or without minutes. nullopt for anything else:
// infinity, years before 1 or after 9999.
std::optional<WallTime> parse_pg_time(std::string_view text);

// The user or session whose columns begin at `column` of `row`. internal: the row breaks the rules
// of this program (another one wrote it).
struct Cell {
  std::size_t row = 0;
  std::size_t column = 0;
};
Result<User> read_user(const pg::Rows& rows, Cell at);
Result<Session> read_session(const pg::Rows& rows, Cell at);
Result<SigningKey> read_signing_key(const pg::Rows& rows, std::size_t row);

// The sound users of all rows, whose columns begin at `column`; the others are left out.
std::vector<UserRef> read_users(const pg::Rows& rows, std::size_t column);

// The nearest amount there is, whatever the database holds.
Usd read_usd(std::string_view text);

// What the database takes as text: UTF-8 without NUL.
bool is_storable(std::string_view text);

}  // namespace um
