// Many new users in one transaction, some thousand rows in a second: rows travel as arrays, and
// those that collide with another row are left out by the statement itself (ON CONFLICT DO
// NOTHING). Why each was left out is asked afterwards; the answers are the same as if the rows had
// been inserted one after another. Ids that no row names come from the sequence, which first passes
// all that are named; what is rolled back afterwards may use up numbers.
//
// Thread safety: coroutines of the caller's executor. References outlive the call.
#pragma once

#include <vector>

#include "storage/postgres/database.hpp"
#include "storage/user_store.hpp"

namespace um::postgres_writes {

using InsertAnswers = std::vector<Result<UserId>>;

Task<Result<InsertAnswers>> insert_many(PostgresDatabase& db, const UserStore::InsertMany& batch,
                                        Deadline deadline);

}  // namespace um::postgres_writes
