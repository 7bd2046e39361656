#include "storage/postgres/queries.hpp"
#include "storage/postgres/stores.hpp"
#include "storage/rules.hpp"
#include "user/time_text.hpp"

namespace um {

namespace {

namespace queries = postgres_queries;

Result<SessionRef> session_at(const pg::Rows& rows, Cell at) {
  auto session = read_session(rows, at);
  if (!session) return std::unexpected(session.error());
  return std::make_shared<const Session>(std::move(*session));
}

// Locks the user's row, so that it does not change before the session is committed. Returns the row
// as this statement left it; invalid_credentials if the user may not have a session (any more).
Task<Result<UserRef>> admit(PostgresWrite& write, const NewSession& session) {
  pg::Params params{session.user_id.value()};
  const pg::Query* query = &queries::kLockActiveUser;
  if (session.verified_hash) {
    query = &queries::kSignIn;
    params.add(time_text(session.created_at));
    params.add(session.verified_hash->reveal());
  }
  const auto rows = co_await write.run(*query, std::move(params));
  if (!rows) co_return std::unexpected(rows.error());
  if (rows->empty()) {
    co_return fail(ErrorCode::invalid_credentials, "the user may not sign in");
  }
  if (session.verified_hash) write.touch(CacheKey::of(session.user_id));
  auto user = read_user(*rows, {});
  if (!user) co_return std::unexpected(user.error());
  co_return make_record(std::move(*user));
}

// Returns how many logins were deleted. conflict: the user has the largest number of sessions, and
// too few of them are logins.
Task<Result<std::int64_t>> make_room(PostgresWrite& write, const NewSession& session,
                                     std::int64_t epoch) {
  constexpr auto kOthers = static_cast<std::int64_t>(SessionStore::kMaxSessionsPerUser) - 1;
  const auto rows = co_await write.run(
      queries::kMakeRoom,
      pg::Params{session.user_id.value(), time_text(session.created_at), epoch, kOthers});
  if (!rows) co_return std::unexpected(rows.error());
  if (rows->integer(0, 0) > kOthers) {
    co_return fail(ErrorCode::conflict, "the user has the largest number of tokens");
  }
  for (std::size_t row = 1; row < rows->size(); ++row) {
    write.touch("session:" + std::string{rows->text(row, 1)});
  }
  co_return static_cast<std::int64_t>(rows->size()) - 1 - rows->integer(0, 2);
}

Task<Result<rules::SessionWrite>> create_session(PostgresWrite& write, const NewSession& wanted) {
  auto user = co_await admit(write, wanted);
  if (!user) co_return std::unexpected(user.error());
  const std::int64_t epoch = (*user)->user.auth_epoch;
  const auto displaced = co_await make_room(write, wanted, epoch);
  if (!displaced) co_return std::unexpected(displaced.error());
  auto session = std::make_shared<const Session>(rules::session_under(epoch, wanted));
  const auto inserted = co_await write.run(
      queries::kInsertSession,
      pg::Params{session->id.text(), session->user_id.value(), session->auth_epoch,
                 rules::to_string(session->kind), time_text(session->created_at),
                 time_text(session->expires_at), session->address, session->user_agent});
  if (!inserted) co_return std::unexpected(inserted.error());
  write.is_transaction(*inserted, {});
  write.touch(CacheKey::of(session->id));
  co_return rules::SessionWrite{
      .created = {.session = std::move(session), .user = std::move(*user)},
      .displaced = *displaced};
}

Task<Result<std::int64_t>> purge_sessions(PostgresWrite& write, Purge purge) {
  const auto purged =
      co_await write.run(queries::kPurgeSessions, pg::Params{time_text(purge.now), purge.limit});
  if (!purged) co_return std::unexpected(purged.error());
  for (std::size_t row = 0; row < purged->size(); ++row) {
    write.touch("session:" + std::string{purged->text(row, 0)});
    write.is_transaction(*purged, {.row = row, .column = 1});
  }
  co_return static_cast<std::int64_t>(purged->size());
}

}  // namespace

Task<Result<SessionReading>> PostgresSessionStore::find(SessionId id, ReadOptions options) {
  return db_.find<Session>(queries::kFindSession, {id.text()}, options.deadline, &session_at);
}

Task<Result<CreatedSession>> PostgresSessionStore::create(NewSession session, Deadline deadline) {
  const auto work = [&](PostgresWrite& write) { return create_session(write, session); };
  auto written = co_await db_.write<rules::SessionWrite>(deadline, work);
  if (!written) co_return std::unexpected(written.error());
  db_.counters().sessions_displaced.add(static_cast<std::uint64_t>(written->displaced));
  co_return std::move(written->created);
}

Task<Result<void>> PostgresSessionStore::revoke(Revoke revoke, Deadline deadline) {
  std::optional<std::int64_t> owner;
  if (revoke.owner) owner = revoke.owner->value();
  const auto plan = [&](int /*attempt*/) -> Task<Result<PostgresDatabase::CachedChange<void>>> {
    PostgresDatabase::CachedChange<void> change;
    change.keys = {CacheKey::of(revoke.id).str()};
    change.statements.push_back(
        {.query = &queries::kRevokeSession, .params = {revoke.id.text(), owner}});
    change.read = [](const std::vector<pg::Rows>& rows) -> Result<void> {
      if (rows.back().empty()) return fail(ErrorCode::not_found, "no such session");
      return {};
    };
    change.look = [this,
                   id = revoke.id](Deadline until) -> Task<Result<std::optional<Result<void>>>> {
      const auto found = co_await find(id, {.deadline = until});
      if (!found) co_return std::unexpected(found.error());
      if (found->value) co_return std::nullopt;
      co_return Result<void>{};
    };
    co_return change;
  };
  auto revoked = co_await db_.write_strictly<void>(deadline, plan);
  co_return revoked;
}

Task<Result<std::vector<SessionRef>>> PostgresSessionStore::list(UserId user, Deadline deadline) {
  const auto rows =
      co_await db_.look_up(queries::kListSessions,
                           pg::Params{user.value(), time_text(db_.clock().wall_now())}, deadline);
  if (!rows) co_return std::unexpected(rows.error());
  std::vector<SessionRef> sessions;
  for (std::size_t row = 0; row < rows->size(); ++row) {
    auto session = session_at(*rows, {.row = row});
    if (!session) co_return std::unexpected(session.error());
    sessions.push_back(std::move(*session));
  }
  co_return sessions;
}

Task<Result<std::int64_t>> PostgresSessionStore::purge(Purge purge, Deadline deadline) {
  const auto work = [purge](PostgresWrite& write) { return purge_sessions(write, purge); };
  auto purged = co_await db_.write<std::int64_t>(deadline, work);
  co_return purged;
}

}  // namespace um
