// Adopts a database of the Go program: a table users(id, first_name, last_name, email, password).
// Every row keeps its id and its password hash, so its user can sign in as before.
//
// Misfits are rows that break a rule of this program: an id that is not a positive number up to
// 2^53, an address that is missing, invalid or taken by a row before it, an id that is taken by a
// row before it, a name that is not UTF-8 or contains U+0000. A misfit is never changed: it goes
// into users_quarantine, or nothing is adopted.
//
// Called inside the transaction of a migration. Throws SqliteError.
#pragma once

#include <string>
#include <vector>

#include "base/clock.hpp"
#include "drivers/sqlite/connection.hpp"
#include "storage/migration.hpp"

namespace um::sqlite_adoption {

// Whether there is a table users with the Go program's columns and without ours.
bool is_possible(sqlite::Connection& db);
std::int64_t count_rows(sqlite::Connection& db);
std::vector<MisfitRow> misfits(sqlite::Connection& db);

// Renames the table, to make room for the tables of this program.
void set_aside(sqlite::Connection& db);
// Copies its rows into the tables of this program, misfits into users_quarantine. Then drops the
// old table, unless it has columns that are not copied.
struct Move {
  std::vector<MisfitRow> misfits;
  WallTime now;
};
void move_rows(sqlite::Connection& db, const Move& move);

}  // namespace um::sqlite_adoption
