// Finding users by a part of their name or address.
//
// The folded text of every user (user_search) has a trigram index. A keyword of three or more
// characters is looked up by all its trigrams; that gives candidates in ascending order of id, from
// which instr() keeps the ones that really contain it. FTS5 walks its lists from `after` on, so a
// page costs the same at any depth.
//
// One or two characters are no trigram. They are mostly frequent, so the next kWindow users are
// simply scanned. If that does not fill the page, the keyword is rare: then the trigrams that begin
// with it are few (the text is padded so that every character begins one), and the union of their
// lists is the answer. Only if they are many although the hits were few is the rest scanned, 0.1 µs
// a user.
//
// Pure database work: to be called on a reader's thread. Throws SqliteError.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "drivers/sqlite/connection.hpp"
#include "user/user_change.hpp"

namespace um::sqlite_search {

inline constexpr std::int64_t kWindow = 5'000;
inline constexpr std::int64_t kMaxTerms = 256;

// The ids of one page of hits, ascending. `folded`: fold_for_search(keyword), not empty.
std::vector<std::int64_t> find(sqlite::Connection& db, const std::string& folded, const Page& page);
std::int64_t count(sqlite::Connection& db, const std::string& folded);

}  // namespace um::sqlite_search
