#include "drivers/pg/query.hpp"
#include "storage/postgres/queries.hpp"
#include "storage/postgres/stores.hpp"

namespace um {

namespace {

std::string array_of(const std::array<std::int32_t, AttemptStore::kRows>& cells) {
  const std::array<std::int64_t, AttemptStore::kRows> wide{cells[0], cells[1], cells[2], cells[3]};
  return pg::integer_array(wide);
}

Result<AttemptStore::Answer> answer_of(const pg::Rows& rows) {
  using Kind = AttemptStore::Answer::Kind;
  const std::string_view said = rows.text(0, 0);
  if (said == "busy") return AttemptStore::Answer{.kind = Kind::busy};
  return AttemptStore::Answer{.kind = said == "taken" ? Kind::taken : Kind::refused,
                              .number = rows.integer(0, 1)};
}

}  // namespace

std::optional<std::int64_t> PostgresAttemptStore::now() const {
  if (!now_) return std::nullopt;
  return now_();
}

auto PostgresAttemptStore::take(Take take, Deadline deadline) -> Task<Result<Answer>> {
  pg::Params params{array_of(take.cells.account), array_of(take.cells.address), take.account_limit,
                    take.address_limit, now()};
  const auto rows =
      co_await db_.change(postgres_queries::kTakeAttempt, std::move(params), deadline);
  if (!rows) co_return std::unexpected(rows.error());
  co_return answer_of(*rows);
}

Task<Result<void>> PostgresAttemptStore::end(End end, Deadline deadline) {
  pg::Params params{array_of(end.cells.account), array_of(end.cells.address), end.taken, end.failed,
                    now()};
  const auto ended =
      co_await db_.change(postgres_queries::kEndAttempt, std::move(params), deadline);
  if (!ended) co_return std::unexpected(ended.error());
  co_return Result<void>{};
}

Task<Result<std::int64_t>> PostgresAttemptStore::purge(std::int64_t limit, Deadline deadline) {
  const auto purged =
      co_await db_.change(postgres_queries::kPurgeAttempts, pg::Params{limit, now()}, deadline);
  if (!purged) co_return std::unexpected(purged.error());
  co_return purged->integer(0, 0);
}

}  // namespace um
