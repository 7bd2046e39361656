#include "storage/postgres_search.hpp"

#include "storage/postgres_queries.hpp"
#include "storage/postgres_rows.hpp"
#include "storage/rules.hpp"

namespace um::postgres_search {

namespace {

namespace queries = postgres_queries;
using Users = std::vector<UserRef>;

struct Window {
  explicit Window(const pg::Rows& rows) : scanned{rows.integer(0, 0)}, found{rows.integer(0, 1)} {}
  bool saw_everybody() const { return scanned < kWindow; }
  bool frequent() const { return found * kFrequent >= scanned; }
  std::int64_t scanned;
  std::int64_t found;
};

}  // namespace

Task<Result<Users>> find(PostgresDatabase& db, std::string folded, Page page, Deadline deadline) {
  if (!rules::can_match(folded)) co_return Users{};
  const std::int64_t after = page.after ? page.after->value() : 0;
  // Hits beyond the window are not in it; the numbers of a page fit its integers then.
  const std::int64_t offset = std::min(page.offset, kWindow);
  const std::int64_t limit = std::min(page.limit, kWindow);
  const auto near = co_await db.scan(queries::kSearchWindow,
                                     pg::Params{after, folded, kWindow, offset, limit}, deadline);
  if (!near) co_return std::unexpected(near.error());
  const Window window{*near};
  if (window.saw_everybody() || window.found >= page.offset + page.limit) {
    co_return read_users(*near, 2);
  }
  const pg::Query& query = window.frequent() ? queries::kSearchWalk : queries::kSearchIndex;
  const auto far =
      co_await db.scan(query, pg::Params{after, folded, page.offset, page.limit}, deadline);
  if (!far) co_return std::unexpected(far.error());
  co_return read_users(*far, 0);
}

Task<Result<std::int64_t>> count(PostgresDatabase& db, std::string folded, Deadline deadline) {
  if (!rules::can_match(folded)) co_return 0;
  const auto near =
      co_await db.scan(queries::kSearchWindow, pg::Params{0, folded, kWindow, 0, 0}, deadline);
  if (!near) co_return std::unexpected(near.error());
  const Window window{*near};
  if (window.saw_everybody()) co_return window.found;
  const pg::Query& query = window.frequent() ? queries::kCountScan : queries::kCountIndex;
  const auto all = co_await db.scan(query, pg::Params{folded}, deadline);
  if (!all) co_return std::unexpected(all.error());
  co_return all->integer(0, 0);
}

}  // namespace um::postgres_search
