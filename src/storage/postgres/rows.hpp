// Converts between texts and rows of PostgreSQL and values of the program. Column lists:
// queries.hpp. Times are read as the server writes them with DateStyle ISO.
//
// Thread safety: pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "drivers/pg/rows.hpp"
#include "storage/signing_key_store.hpp"
#include "storage/snapshot.hpp"
#include "user/session.hpp"
#include "user/user.hpp"

namespace um {

// "2026-11-22 01:35:29.123456+00", the offset with or without minutes. nullopt for anything else,
// such as infinity, years before 1 or after 9999.
std::optional<WallTime> parse_pg_time(std::string_view text);

// The user, session or key in the columns from `column` on of `row`. internal: the row breaks the
// rules of this program, so another program wrote it.
struct Cell {
  std::size_t row = 0;
  std::size_t column = 0;
};
Result<User> read_user(const pg::Rows& rows, Cell at);
Result<Session> read_session(const pg::Rows& rows, Cell at);
Result<SigningKey> read_signing_key(const pg::Rows& rows, std::size_t row);

// What the database assigns in a change, from the row of kUpdateUser.
Result<void> read_assigned(const pg::Rows& rows, User& user);

// The users in the columns from `column` on of all rows. Rows that break the rules are left out.
std::vector<UserRef> read_users(const pg::Rows& rows, std::size_t column);

// An amount out of range becomes the nearest bound.
Usd read_usd(std::string_view text);
std::optional<std::string> usd_text(const std::optional<Usd>& amount);

// Whether the database accepts `text`: UTF-8 without NUL.
bool is_storable(std::string_view text);

// The text of a pg_snapshot: "xmin:xmax:xip,xip,…" (PostgreSQL manual, 9.27.10 "Transaction ID and
// Snapshot Information Functions"). xip may come in any order. nullopt for anything else.
std::optional<Snapshot> parse_pg_snapshot(std::string_view text);
// The reverse; xmin is the lowest of xip, or xmax.
std::string pg_snapshot_text(const Snapshot& snapshot);

// 128 bits for the text of a namespace (SHA-256, truncated). The empty text stands for no
// namespace: Tau{}, under which nothing is ever admitted.
Tau tau_of(std::string_view namespace_text);
// The part of a namespace that cannot change under a living connection: what
// public.cache_server() returns, four words. A new epoch or incarnation is in the other part.
std::string_view server_of(std::string_view namespace_text);

}  // namespace um
