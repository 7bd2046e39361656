// Adoption of a PostgreSQL database that the Go program made: a table users(id, first_name,
// last_name, email, password). Every row is taken over with its id and its password hash, so its
// user can sign in as before. Rows that break our rules are named first; they can only be moved
// aside, never silently changed.
//
// Called inside the transaction of a migration. Throws PostgresError.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "storage/migration_plan.hpp"
#include "storage/postgres/session.hpp"

namespace um::postgres_adoption {

// Is there a table public.users with the Go program's columns, and without ours?
bool is_possible(PostgresSession& db);
// Views, foreign keys and heirs that hang on the table: "view active_users, …"; empty if none.
// They would be left hanging on what is not the users any more.
std::string dependents(PostgresSession& db);
// From now on nobody writes to the table, until the transaction ends.
void lock(PostgresSession& db);

std::int64_t count_rows(PostgresSession& db);
std::vector<MisfitRow> misfits(PostgresSession& db);

// Moves the table out of the way of our schema, which is made next, into a schema of its own …
void set_aside(PostgresSession& db);
// … and copies its rows over, the misfits into users_quarantine. A table that has other columns
// besides stays there: nothing that somebody stored is thrown away.
void move_rows(PostgresSession& db, const std::vector<MisfitRow>& misfits);

}  // namespace um::postgres_adoption
