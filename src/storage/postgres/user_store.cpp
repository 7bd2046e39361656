#include <set>

#include "storage/postgres/queries.hpp"
#include "storage/postgres/stores.hpp"
#include "storage/rules.hpp"
#include "user/search_fold.hpp"
#include "user/time_text.hpp"

namespace um {

namespace {

namespace queries = postgres_queries;

// The column of the password hash, after the columns of the user.
constexpr std::size_t kHashColumn = 16;

Result<UserRef> record_at(const pg::Rows& rows, Cell at) {
  auto user = read_user(rows, at);
  if (!user) return std::unexpected(user.error());
  return make_record(std::move(*user));
}

// Strict writes: each function plans one attempt. An attempt reads what it has to know first, and
// the database refuses it if that has changed.

template <class T>
using Attempt = PostgresDatabase::CachedChange<T>;

// The columns of what people and administrators write, in the order of all statements.
void add_profile(pg::Params& params, const User& user) {
  params.add(user.email.text());
  params.add(user.username);
  params.add(user.first_name);
  params.add(user.last_name);
  params.add(to_string(user.role));
  params.add(user.is_active);
  params.add(usd_text(user.quota_usd));
  params.add(user.model_capability_settings);
}

// The row, as the database compares it: UM_PG_AS_READ in queries.hpp.
pg::Params as_read(const User& user) {
  pg::Params params{user.id.value(), user.version};
  add_profile(params, user);
  params.add(time_text(user.created_at));
  params.add(time_text(user.updated_at));
  params.add(user.auth_epoch);
  return params;
}

pg::Statement keeping_an_admin(UserId id) {
  return {.query = &queries::kKeepAnAdmin, .params = {id.value()}};
}

struct Touched {
  std::set<std::string> keys;
  Touched& add(const CacheKey& key) {
    keys.insert(key.str());
    return *this;
  }
};

bool is_as_read(const User& row, const User& read) {
  return row.version == read.version && row.auth_epoch == read.auth_epoch &&
         revision_of(row) == revision_of(read);
}

// The change writes the time of this attempt in microseconds, so a row with it and with everything
// else of the change is its result.
bool is_result(const User& row, User wanted, WallTime now) {
  wanted.version = row.version;
  wanted.updated_at = now;
  return revision_of(row) == revision_of(wanted);
}

// kUpdateUser returns what the database assigned.
Result<UserRef> record_of_change(User user, WallTime now, const pg::Rows& assigned) {
  if (assigned.empty()) return fail(rules::no_such_user());
  user.updated_at = now;
  if (const auto done = read_assigned(assigned, user); !done) return std::unexpected(done.error());
  return make_record(std::move(user));
}

Attempt<UserRef> planned_update(const User& current, const rules::PlannedUpdate& plan,
                                WallTime now) {
  const User& user = plan.user;
  const UserChange& change = plan.change;
  Attempt<UserRef> attempt;
  Touched touched;
  touched.add(CacheKey::of(user.id));
  if (!(user.email == current.email))
    touched.add(CacheKey::of(current.email)).add(CacheKey::of(user.email));
  pg::Params params = as_read(current);
  add_profile(params, user);
  params.add(time_text(now));
  params.add(plan.ends_sessions);
  if (change.password_hash)
    params.add(change.password_hash->reveal());
  else
    params.add(std::nullopt);
  params.add(rules::search_text(user));
  if (plan.gives_up_admin) attempt.statements.push_back(keeping_an_admin(user.id));
  const std::size_t updated = attempt.statements.size();
  attempt.statements.push_back({.query = &queries::kUpdateUser, .params = std::move(params)});
  if (change.keep_session && change.password_hash && user.is_active) {
    touched.add(CacheKey::of(*change.keep_session));
    attempt.statements.push_back(
        {.query = &queries::kKeepSession,
         .params = {change.keep_session->text(), user.id.value(), current.auth_epoch}});
  }
  attempt.keys = std::move(touched.keys);
  attempt.read = [updated, changed = user, now](const std::vector<pg::Rows>& rows) {
    return record_of_change(changed, now, rows.at(updated));
  };
  return attempt;
}

Attempt<void> planned_removal(const User& current) {
  Attempt<void> attempt;
  attempt.keys = Touched{}.add(CacheKey::of(current.id)).add(CacheKey::of(current.email)).keys;
  if (rules::is_acting_admin(current)) attempt.statements.push_back(keeping_an_admin(current.id));
  attempt.statements.push_back({.query = &queries::kDeleteUser, .params = as_read(current)});
  attempt.read = [](const std::vector<pg::Rows>& rows) -> Result<void> {
    if (rows.back().empty()) return fail(rules::no_such_user());
    return {};
  };
  return attempt;
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
  return postgres_search::search(db_, std::move(folded), page, deadline);
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

// Its absence may be cached, so the id is drawn first and held like the address.
Task<Result<UserRef>> PostgresUserStore::insert(NewUser wanted, Deadline deadline) {
  // Another transaction may have chosen the id that the sequence assigns, so a few ids are tried.
  constexpr int kDraws = 4;
  auto planned = rules::plan_insert(wanted, db_.clock().wall_now());
  if (!planned) co_return std::unexpected(planned.error());
  const User& user = *planned;
  const auto plan = [&](int /*attempt*/) -> Task<Result<Attempt<UserRef>>> {
    std::int64_t id = user.id.value();
    if (!wanted.id) {
      const auto drawn = co_await db_.change(queries::kDrawId, {}, deadline);
      if (!drawn && drawn.error().code == ErrorCode::unknown_outcome)
        co_return fail(postgres_error({.kind = pg::Failure::lost}));  // an id, but no user
      if (!drawn) co_return std::unexpected(drawn.error());
      id = drawn->integer(0, 0);
    }
    User created = user;
    created.id = UserId::from(id).value();
    Attempt<UserRef> attempt;
    attempt.keys = Touched{}.add(CacheKey::of(created.id)).add(CacheKey::of(created.email)).keys;
    pg::Params params{id};
    add_profile(params, user);
    params.add(user.used_usd.text());
    params.add(time_text(user.created_at));
    params.add(time_text(user.updated_at));
    params.add(wanted.password_hash.reveal());
    params.add(rules::search_text(user));
    attempt.statements.push_back({.query = &queries::kInsertUser, .params = std::move(params)});
    attempt.read = [created](const std::vector<pg::Rows>& rows) -> Result<UserRef> {
      User stored = created;
      stored.version = rows.back().integer(0, 0);
      stored.auth_epoch = rows.back().integer(0, 1);
      return make_record(std::move(stored));
    };
    attempt.recall = [this, id = created.id](Deadline until) { return recall(id, until); };
    attempt.look = [this, created](Deadline until) -> Task<Result<std::optional<Result<UserRef>>>> {
      auto row = co_await find(created.id, {.deadline = until});
      if (!row) co_return std::unexpected(row.error());
      // It may have been made, and removed by somebody who found it.
      if (!row->value) co_return fail(unknown_outcome());
      if (is_result(row->value->user, created, created.updated_at)) co_return row->value;
      co_return fail(unknown_outcome());
    };
    co_return attempt;
  };
  for (int draw = 1;; ++draw) {
    auto inserted = co_await db_.write_strictly<UserRef>(deadline, plan);
    if (inserted) co_return inserted;
    const bool unlucky = inserted.error().code == ErrorCode::conflict && !wanted.id;
    if (!unlucky || draw == kDraws) co_return std::unexpected(inserted.error());
  }
}

Task<Result<std::vector<Result<UserId>>>> PostgresUserStore::insert_many(InsertMany batch,
                                                                         Deadline deadline) {
  auto answers = co_await postgres_writes::insert_many(db_, batch, deadline);
  co_return answers;
}

Task<Result<UserRef>> PostgresUserStore::read_row(UserId id, Deadline deadline) {
  auto reading = co_await find(id, {.deadline = deadline});
  if (!reading) co_return std::unexpected(reading.error());
  if (!reading->value) co_return fail(rules::no_such_user());
  co_return std::move(reading->value);
}

// The answer of a write whose commit is known, but not its rows.
Task<Result<UserRef>> PostgresUserStore::recall(UserId id, Deadline deadline) {
  auto row = co_await read_row(id, deadline);
  if (!row)
    co_return fail(Error{.code = ErrorCode::unknown_outcome,
                         .detail = "the change was made, and its result cannot be read"});
  co_return row;
}

PostgresDatabase::CachedChange<UserRef> PostgresUserStore::plan_change(
    const UserRef& row, const rules::PlannedUpdate& plan) {
  const WallTime now = db_.clock().wall_now();
  auto made = planned_update(row->user, plan, now);
  const UserId id = row->user.id;
  made.recall = [this, id](Deadline until) { return recall(id, until); };
  made.look = [this, row, wanted = plan.user,
               now](Deadline until) -> Task<Result<std::optional<Result<UserRef>>>> {
    auto current = co_await read_row(row->user.id, until);
    if (!current) co_return std::unexpected(current.error());
    if (is_as_read((*current)->user, row->user)) co_return std::nullopt;
    if (is_result((*current)->user, wanted, now)) co_return std::move(*current);
    co_return fail(unknown_outcome());
  };
  return made;
}

Task<Result<UserRef>> PostgresUserStore::update(UpdateUser update, Deadline deadline) {
  const auto plan = [&](int attempt) -> Task<Result<Attempt<UserRef>>> {
    UserRef row = attempt == 1 ? update.known : nullptr;
    if (row) {
      auto planned = rules::plan_update(row->user, update);
      // Refusals, and changes of nothing, need the row of the primary.
      if (planned && !planned->changes_nothing) {
        co_return plan_change(row, *planned);
      }
    }
    auto current = co_await read_row(update.id, deadline);
    if (!current) co_return std::unexpected(current.error());
    row = std::move(*current);
    auto planned = rules::plan_update(row->user, update);
    if (!planned) co_return std::unexpected(planned.error());
    if (planned->changes_nothing) co_return Attempt<UserRef>{.unchanged = Result<UserRef>{row}};
    co_return plan_change(row, *planned);
  };
  auto updated = co_await db_.write_strictly<UserRef>(deadline, plan);
  co_return updated;
}

PostgresDatabase::CachedChange<void> PostgresUserStore::plan_removal(const UserRef& row) {
  auto made = planned_removal(row->user);
  made.look = [this, row](Deadline until) -> Task<Result<std::optional<Result<void>>>> {
    const auto current = co_await find(row->user.id, {.deadline = until});
    if (!current) co_return std::unexpected(current.error());
    if (!current->value) co_return Result<void>{};
    if (is_as_read(current->value->user, row->user)) co_return std::nullopt;
    co_return fail(unknown_outcome());
  };
  return made;
}

Task<Result<void>> PostgresUserStore::remove(RemoveUser request, Deadline deadline) {
  const auto plan = [&](int attempt) -> Task<Result<Attempt<void>>> {
    if (attempt == 1 && request.known && rules::may_remove(request.known->user, request))
      co_return plan_removal(request.known);
    const auto row = co_await read_row(request.id, deadline);
    if (!row) co_return std::unexpected(row.error());
    const auto allowed = rules::may_remove((*row)->user, request);
    if (!allowed) co_return std::unexpected(allowed.error());
    co_return plan_removal(*row);
  };
  auto removed = co_await db_.write_strictly<void>(deadline, plan);
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
  const auto plan = [&](int /*attempt*/) -> Task<Result<Attempt<void>>> {
    Attempt<void> attempt;
    attempt.keys = {CacheKey::of(id).str()};
    attempt.statements.push_back({.query = &queries::kEndSessions, .params = {id.value()}});
    attempt.read = [](const std::vector<pg::Rows>& rows) -> Result<void> {
      if (rows.back().empty()) return fail(rules::no_such_user());
      return {};
    };
    co_return attempt;
  };
  auto ended = co_await db_.write_strictly<void>(deadline, plan);
  co_return ended;
}

// Touches the user's keys without changing anything. An address that the user gets meanwhile is
// refused by the trigger, and the next attempt holds it.
Task<Result<void>> PostgresUserStore::invalidate(UserId id, Deadline deadline) {
  const auto plan = [&](int /*attempt*/) -> Task<Result<Attempt<void>>> {
    const auto reading = co_await find(id, {.deadline = deadline});
    if (!reading) co_return std::unexpected(reading.error());
    Attempt<void> attempt;
    Touched touched;
    touched.add(CacheKey::of(id));
    if (reading->value) touched.add(CacheKey::of(reading->value->user.email));
    attempt.keys = std::move(touched.keys);
    attempt.statements.push_back({.query = &queries::kInvalidate, .params = {id.value()}});
    attempt.read = [](const std::vector<pg::Rows>&) { return Result<void>{}; };
    co_return attempt;
  };
  auto announced = co_await db_.write_strictly<void>(deadline, plan);
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
