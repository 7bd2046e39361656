#include "storage/postgres/user_store.hpp"

#include "storage/postgres/insert_many.hpp"
#include "storage/postgres/queries.hpp"
#include "storage/postgres/rows.hpp"
#include "storage/postgres/search.hpp"
#include "storage/postgres/user_writes.hpp"
#include "storage/rules.hpp"
#include "user/search_fold.hpp"
#include "user/time_text.hpp"

namespace um {

namespace {

namespace queries = postgres_queries;

// The password hash stands behind the columns of the user.
constexpr std::size_t kHashColumn = 16;

Result<UserRef> record_at(const pg::Rows& rows, Cell at) {
  auto user = read_user(rows, at);
  if (!user) return std::unexpected(user.error());
  return make_record(std::move(*user));
}

}  // namespace

Task<Result<UserReading>> PostgresUserStore::find(UserId id, ReadOptions options) {
  return db_.find<UserRecord>(queries::kFindUser, {id.value()}, options.deadline, &record_at);
}

Task<Result<UserReading>> PostgresUserStore::find(Email email, ReadOptions options) {
  return db_.find<UserRecord>(queries::kFindUserByEmail, {email.folded()}, options.deadline,
                              &record_at);
}

Task<Result<std::vector<UserRef>>> PostgresUserStore::list(Page page, Deadline deadline) {
  const std::int64_t after = page.after ? page.after->value() : 0;
  const auto rows =
      co_await db_.scan(queries::kListUsers, pg::Params{after, page.offset, page.limit}, deadline);
  if (!rows) co_return std::unexpected(rows.error());
  co_return read_users(*rows, 0);
}

Task<Result<std::vector<UserRef>>> PostgresUserStore::search(std::string keyword, Page page,
                                                             Deadline deadline) {
  std::string folded = fold_for_search(keyword);
  if (folded.empty()) return list(page, deadline);
  return postgres_search::find(db_, std::move(folded), page, deadline);
}

Task<Result<std::int64_t>> PostgresUserStore::count(std::string keyword, Deadline deadline) {
  std::string folded = fold_for_search(keyword);
  if (!folded.empty()) {
    const auto found = co_await postgres_search::count(db_, std::move(folded), deadline);
    co_return found;
  }
  const auto rows = co_await db_.scan(queries::kCountUsers, {}, deadline);
  if (!rows) co_return std::unexpected(rows.error());
  co_return rows->integer(0, 0);
}

Task<Result<bool>> PostgresUserStore::has_admin(Deadline deadline) {
  const auto rows = co_await db_.look_up(queries::kHasAdmin, {}, deadline);
  if (!rows) co_return std::unexpected(rows.error());
  co_return rows->boolean(0, 0);
}

Task<Result<UserRef>> PostgresUserStore::insert(NewUser user, Deadline deadline) {
  // An id that was drawn may just be taken by another transaction that chose it itself.
  constexpr int kDraws = 4;
  const auto work = [&](PostgresWrite& write) {
    return postgres_writes::insert_user(write, user, db_.clock().wall_now());
  };
  for (int draw = 1;; ++draw) {
    auto inserted = co_await db_.write<User>(deadline, work);
    if (inserted) co_return make_record(std::move(*inserted));
    const bool unlucky = inserted.error().code == ErrorCode::conflict && !user.id;
    if (!unlucky || draw == kDraws) co_return std::unexpected(inserted.error());
  }
}

Task<Result<std::vector<Result<UserId>>>> PostgresUserStore::insert_many(InsertMany batch,
                                                                         Deadline deadline) {
  auto answers = co_await postgres_writes::insert_many(db_, batch, deadline);
  co_return answers;
}

Task<Result<UserRef>> PostgresUserStore::update(UpdateUser update, Deadline deadline) {
  const auto work = [&](PostgresWrite& write) {
    return postgres_writes::update_user(write, update, db_.clock().wall_now());
  };
  auto updated = co_await db_.write<UserRef>(deadline, work);
  co_return updated;
}

Task<Result<void>> PostgresUserStore::remove(RemoveUser request, Deadline deadline) {
  const auto work = [&](PostgresWrite& write) {
    return postgres_writes::remove_user(write, request);
  };
  auto removed = co_await db_.write<void>(deadline, work);
  co_return removed;
}

Task<Result<UsageTotals>> PostgresUserStore::add_usage(UsageRecord usage, Deadline deadline) {
  return usage_.add(std::move(usage), deadline);
}

Task<Result<std::optional<Credentials>>> PostgresUserStore::find_credentials(const pg::Query& query,
                                                                             pg::Params params,
                                                                             Deadline deadline) {
  const auto rows = co_await db_.look_up(query, std::move(params), deadline);
  if (!rows) co_return std::unexpected(rows.error());
  if (rows->empty()) co_return std::nullopt;
  auto user = record_at(*rows, {});
  if (!user) co_return std::unexpected(user.error());
  co_return Credentials{.user = std::move(*user),
                        .password_hash = Secret{std::string{rows->text(0, kHashColumn)}}};
}

Task<Result<std::optional<Credentials>>> PostgresUserStore::credentials(Email email,
                                                                        Deadline deadline) {
  return find_credentials(queries::kCredentialsByEmail, {email.folded()}, deadline);
}

Task<Result<std::optional<Credentials>>> PostgresUserStore::credentials(UserId id,
                                                                        Deadline deadline) {
  return find_credentials(queries::kCredentials, {id.value()}, deadline);
}

Task<Result<void>> PostgresUserStore::rehash(Rehash rehash, Deadline deadline) {
  const auto done = co_await db_.change(
      queries::kSetHash,
      pg::Params{rehash.id.value(), rehash.old_hash.reveal(), rehash.new_hash.reveal()}, deadline);
  if (!done) co_return std::unexpected(done.error());
  co_return Result<void>{};
}

Task<Result<void>> PostgresUserStore::end_sessions(UserId id, Deadline deadline) {
  const auto work = [id](PostgresWrite& write) { return postgres_writes::end_sessions(write, id); };
  auto ended = co_await db_.write<void>(deadline, work);
  co_return ended;
}

Task<Result<void>> PostgresUserStore::invalidate(UserId id, Deadline deadline) {
  const auto work = [id](PostgresWrite& write) { return postgres_writes::announce(write, id); };
  auto announced = co_await db_.write<void>(deadline, work);
  co_return announced;
}

Task<Result<std::int64_t>> PostgresUserStore::purge_usage_keys(Purge purge, Deadline deadline) {
  const auto purged = co_await db_.change(
      queries::kPurgeUsageKeys,
      pg::Params{time_text(purge.now - rules::kUsageKeysKept), purge.limit}, deadline);
  if (!purged) co_return std::unexpected(purged.error());
  co_return static_cast<std::int64_t>(purged->affected());
}

}  // namespace um
