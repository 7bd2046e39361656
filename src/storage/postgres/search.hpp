// Finding users by a part of their name or address.
//
// First the next kWindow users by id are simply looked at: for a frequent keyword they fill the
// page, in a few milliseconds, whatever the length of the keyword. If they do not, the keyword is
// rare among them, and the index of trigrams (search_grams) names all candidates, also for keywords
// of one or two characters, which are beginnings of trigrams. Sorting the candidates by id costs as
// much as there are of them; so a keyword that is frequent and still did not fill the page (a deep
// offset) is looked for by walking on through the users instead.
//
// Thread safety: coroutines of the caller's executor.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "storage/postgres/database.hpp"
#include "user/user_change.hpp"

namespace um::postgres_search {

inline constexpr std::int64_t kWindow = 5'000;
// From one hit in so many users on a keyword counts as frequent.
inline constexpr std::int64_t kFrequent = 50;

// `folded`: fold_for_search(keyword), not empty.
Task<Result<std::vector<UserRef>>> find(PostgresDatabase& db, std::string folded, Page page,
                                        Deadline deadline);
Task<Result<std::int64_t>> count(PostgresDatabase& db, std::string folded, Deadline deadline);

}  // namespace um::postgres_search
