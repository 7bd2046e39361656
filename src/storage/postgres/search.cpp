#include "storage/postgres/search.hpp"

#include "storage/postgres/queries.hpp"
#include "storage/postgres/rows.hpp"
#include "storage/rules.hpp"

namespace um::postgres_search {

namespace {

namespace queries = postgres_queries;
using Users = std::vector<UserRef>;

// So many hits among the users of a window.
bool is_frequent(std::int64_t hits) {
  return hits * kFrequent >= kWindow;
}

}  // namespace

Task<Result<Users>> find(PostgresDatabase& db, std::string folded, Page page, Deadline deadline) {
  if (!rules::can_match(folded)) co_return Users{};
  const std::int64_t after = page.after ? page.after->value() : 0;
  // There are no more hits in it than users; so these numbers fit the query's integers.
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
