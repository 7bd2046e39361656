// Adopts a PostgreSQL database of the Go program: a table users(id, first_name, last_name, email,
// password). Every row keeps its id and its password hash, so its user can sign in as before.
//
// Misfits are rows that break a rule of this program: an id that is not a positive number up to
// 2^53, an address that is missing, invalid or taken by a row before it, an id that is taken by a
// row before it. A misfit is never changed: it goes into users_quarantine, or nothing is adopted.
//
// Called inside the transaction of a migration. Throws PostgresError.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "storage/migration.hpp"
#include "storage/postgres/blocking_connection.hpp"

namespace um::postgres_adoption {

// Whether there is a table public.users with the Go program's columns and without ours.
bool is_possible(BlockingConnection& db);
// Views, foreign keys and inheriting tables that depend on the table: "the view active_users, …";
// empty if there are none. After an adoption they would refer to a table that is no longer used.
std::string dependents(BlockingConnection& db);
// Keeps all others from writing to the table until the transaction ends.
void lock(BlockingConnection& db);

std::int64_t count_rows(BlockingConnection& db);
std::vector<MisfitRow> misfits(BlockingConnection& db);

// Moves the table into a schema of its own, to make room for the tables of this program.
void set_aside(BlockingConnection& db);
// Copies its rows into the tables of this program, misfits into users_quarantine. Then drops the
// old table, unless it has columns that are not copied.
void move_rows(BlockingConnection& db, const std::vector<MisfitRow>& misfits);

}  // namespace um::postgres_adoption
