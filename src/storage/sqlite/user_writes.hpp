// What the writer's thread does for the user store: each function is one write inside a
// transaction, with its rules. On an error the caller's savepoint undoes what was done. Nothing
// here awaits.
#pragma once

#include <vector>

#include "drivers/sqlite/writer.hpp"
#include "storage/user_store.hpp"

namespace um::sqlite_writes {

using sqlite::Transaction;

std::int64_t next_epoch(Transaction& tx);

Result<User> insert_user(Transaction& tx, const NewUser& user, WallTime now);
// One answer for each, in their order, as UserStore::insert_many() gives them.
std::vector<Result<UserId>> insert_users(Transaction& tx, const std::vector<NewUser>& users,
                                         WallTime now);
Result<UserRef> update_user(Transaction& tx, const UpdateUser& update, WallTime now);
Result<void> remove_user(Transaction& tx, const UserStore::RemoveUser& request);
Result<UsageTotals> add_usage(Transaction& tx, const UsageRecord& usage, WallTime now);
Result<void> end_sessions(Transaction& tx, UserId id);
// Touches the user's keys without changing anything.
void announce(Transaction& tx, UserId id);

}  // namespace um::sqlite_writes
