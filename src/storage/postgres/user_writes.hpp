// What the PostgreSQL user store does inside a transaction: each function is one write with its
// rules, the same as sqlite_user_writes.hpp. An error rolls everything back.
//
// Thread safety: coroutines of the caller's executor. References outlive the call.
#pragma once

#include "storage/postgres/database.hpp"
#include "storage/user_store.hpp"

namespace um::postgres_writes {

Task<Result<User>> insert_user(PostgresWrite& write, const NewUser& user, WallTime now);
Task<Result<UserRef>> update_user(PostgresWrite& write, const UpdateUser& update, WallTime now);
Task<Result<void>> remove_user(PostgresWrite& write, const UserStore::RemoveUser& request);
Task<Result<void>> end_sessions(PostgresWrite& write, UserId id);
// Touches the user's keys without changing anything.
Task<Result<void>> announce(PostgresWrite& write, UserId id);

void touch(PostgresWrite& write, UserId id);
void touch(PostgresWrite& write, const Email& email);

std::optional<std::string> usd_text(const std::optional<Usd>& amount);

}  // namespace um::postgres_writes
