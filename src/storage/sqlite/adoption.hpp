// Adoption of a database that the Go program made: a table users(id, first_name, last_name, email,
// password). Every row is taken over with its id and its password hash, so its user can sign in as
// before. Rows that break our rules are named first; they can only be moved aside, never silently
// changed.
//
// Called inside the transaction of a migration. Throws SqliteError.
#pragma once

#include <string>
#include <vector>

#include "base/clock.hpp"
#include "drivers/sqlite/connection.hpp"
#include "storage/migration_plan.hpp"

namespace um {

namespace sqlite_adoption {

// Is there a table users with the Go program's columns, and without ours?
bool is_possible(sqlite::Connection& db);
std::int64_t count_rows(sqlite::Connection& db);
std::vector<MisfitRow> misfits(sqlite::Connection& db);

// Renames the table out of the way of our schema, which is made next …
void set_aside(sqlite::Connection& db);
// … and moves its rows over, the misfits into users_quarantine.
struct Move {
  std::vector<MisfitRow> misfits;
  WallTime now;
};
void move_rows(sqlite::Connection& db, const Move& move);

}  // namespace sqlite_adoption
}  // namespace um
