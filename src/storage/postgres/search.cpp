// Searching users by a part of their name or address.
//
// First the next kWindow users by id are scanned. For a frequent keyword they fill the page within
// a few milliseconds, whatever the length of the keyword. If they do not fill it, the keyword is
// rare among them, and the index of trigrams (search_grams) finds all candidates; keywords of one
// or two characters are prefixes of trigrams. Sorting the candidates by id costs as much as there
// are candidates. So a keyword that is frequent, and still did not fill the page because of a large
// offset, is searched by scanning on through the users instead.
#include <algorithm>

#include "storage/postgres/queries.hpp"
#include "storage/postgres/stores.hpp"
#include "storage/rules.hpp"

namespace um::postgres_search {

namespace {

namespace queries = postgres_queries;

constexpr std::int64_t kWindow = 5'000;
// A keyword is frequent if at least one in so many users of a window matches it.
constexpr std::int64_t kFrequent = 50;

bool is_frequent(std::int64_t hits) {
  return hits * kFrequent >= kWindow;
}

}  // namespace

Task<Result<Users>> search(PostgresDatabase& db, std::string folded, Page page, Deadline deadline) {
  if (!rules::can_match(folded)) co_return Users{};
  const std::int64_t after = page.after ? page.after->value() : 0;
  // A window has at most kWindow hits, so smaller numbers give the same page and fit the query's
  // type.
  const std::int64_t offset = std::min(page.offset, kWindow);
  const std::int64_t limit = std::min(page.limit, kWindow);
  const auto near = co_await db.scan(queries::kSearchWindow,
                                     pg::Params{after, folded, kWindow, offset, limit}, deadline);
  if (!near) co_return std::unexpected(near.error());
  const std::int64_t found = near->integer(0, 0);
  if (found >= page.offset + page.limit) co_return read_users(*near, 1);
  const pg::Query& query = is_frequent(found) ? queries::kSearchWalk : queries::kSearchIndex;
  const auto far =
      co_await db.scan(query, pg::Params{after, folded, page.offset, page.limit}, deadline);
  if (!far) co_return std::unexpected(far.error());
  co_return read_users(*far, 0);
}

Task<Result<std::int64_t>> count(PostgresDatabase& db, std::string folded, Deadline deadline) {
  if (!rules::can_match(folded)) co_return 0;
  const auto near = co_await db.scan(queries::kCountWindow, pg::Params{folded, kWindow}, deadline);
  if (!near) co_return std::unexpected(near.error());
  const std::int64_t found = near->integer(0, 1);
  if (near->integer(0, 0) < kWindow) co_return found;
  const pg::Query& query = is_frequent(found) ? queries::kCountScan : queries::kCountIndex;
  const auto all = co_await db.scan(query, pg::Params{folded}, deadline);
  if (!all) co_return std::unexpected(all.error());
  co_return all->integer(0, 0);
}

}  // namespace um::postgres_search
