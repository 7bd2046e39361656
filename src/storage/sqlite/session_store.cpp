#include "storage/cache_key.hpp"
#include "storage/rules.hpp"
#include "storage/sqlite/queries.hpp"
#include "storage/sqlite/rows.hpp"
#include "storage/sqlite/stores.hpp"

namespace um {

namespace {

using sqlite::Connection;
using sqlite::Transaction;

SessionRef session_at(const sqlite::Run& run, int column) {
  return std::make_shared<const Session>(read_session(run, column));
}

// Runs a DELETE … RETURNING id; returns how many sessions it deleted.
template <class... Args>
std::int64_t erase(Transaction& tx, const sqlite::Query& query, const Args&... args) {
  std::int64_t erased = 0;
  for (auto run = tx.db().run(query, args...); run.next(); ++erased) {
    tx.touch("session:" + std::string{run.text(0)});
  }
  return erased;
}

// The user as this transaction leaves it; null if the user may not have a session (any more).
UserRef admit(Transaction& tx, const NewSession& session) {
  const std::int64_t user = session.user_id.value();
  if (session.verified_hash) {
    auto run = tx.db().run(sqlite_queries::kSignIn, user, to_micros(session.created_at),
                           session.verified_hash->reveal());
    if (!run.next()) return nullptr;
    tx.touch(CacheKey::of(session.user_id).str());
  }
  auto run = tx.db().run(sqlite_queries::kActiveUser, user);
  return run.next() ? make_record(read_user(run, 0)) : nullptr;
}

// Returns how many logins were deleted. conflict: the user has the largest number of sessions, and
// too few of them are logins.
Result<std::int64_t> make_room(Transaction& tx, const NewSession& session, std::int64_t epoch) {
  const std::int64_t user = session.user_id.value();
  erase(tx, sqlite_queries::kDeadSessionsOfUser, user, to_micros(session.created_at), epoch);
  std::int64_t sessions = 0;
  {
    auto run = tx.db().run(sqlite_queries::kCountSessions, user);
    if (run.next()) sessions = run.integer(0);
  }
  const auto surplus = sessions + 1 - static_cast<std::int64_t>(SessionStore::kMaxSessionsPerUser);
  if (surplus <= 0) return 0;
  if (erase(tx, sqlite_queries::kMakeRoom, user, surplus) == surplus) return surplus;
  return fail(ErrorCode::conflict, "the user has the largest number of tokens");
}

Result<rules::SessionWrite> create_session(Transaction& tx, const NewSession& wanted) {
  UserRef user = admit(tx, wanted);
  if (!user) return fail(ErrorCode::invalid_credentials, "the user may not sign in");
  const std::int64_t epoch = user->user.auth_epoch;
  const auto displaced = make_room(tx, wanted, epoch);
  if (!displaced) return std::unexpected(displaced.error());
  auto session = std::make_shared<const Session>(rules::session_under(epoch, wanted));
  tx.db()
      .run(sqlite_queries::kInsertSession, session->id.text(), session->user_id.value(),
           session->auth_epoch, rules::to_string(session->kind), to_micros(session->created_at),
           to_micros(session->expires_at), session->address, session->user_agent)
      .finish();
  tx.touch(CacheKey::of(session->id).str());
  return rules::SessionWrite{.created = {.session = std::move(session), .user = std::move(user)},
                             .displaced = *displaced};
}

}  // namespace

Task<Result<SessionReading>> SqliteSessionStore::find(SessionId id, ReadOptions options) {
  return db_.find<Session>(sqlite_queries::kFindSession, std::string{id.text()}, options.deadline,
                           &session_at);
}

Task<Result<CreatedSession>> SqliteSessionStore::create(NewSession session, Deadline deadline) {
  const auto work = [session = std::move(session)](Transaction& tx) {
    return create_session(tx, session);
  };
  auto written = co_await db_.write<rules::SessionWrite>(deadline, work);
  if (!written) co_return std::unexpected(written.error());
  db_.counters().sessions_displaced.add(static_cast<std::uint64_t>(written->displaced));
  co_return std::move(written->created);
}

Task<Result<void>> SqliteSessionStore::revoke(Revoke revoke, Deadline deadline) {
  return db_.write<void>(deadline, [revoke](Transaction& tx) -> Result<void> {
    std::optional<std::int64_t> owner;
    if (revoke.owner) owner = revoke.owner->value();
    const std::int64_t before = tx.db().total_changes();
    tx.db().run(sqlite_queries::kRevokeSession, revoke.id.text(), owner).finish();
    if (tx.db().total_changes() == before) return fail(ErrorCode::not_found, "no such session");
    tx.touch(CacheKey::of(revoke.id).str());
    return {};
  });
}

Task<Result<std::vector<SessionRef>>> SqliteSessionStore::list(UserId user, Deadline deadline) {
  using Sessions = std::vector<SessionRef>;
  const std::int64_t now = to_micros(db_.clock().wall_now());
  // At most kMaxSessionsPerUser rows by an index: too fast to wait behind scans.
  return db_.look_up<Sessions>(deadline, [user, now](Connection& db) -> Result<Sessions> {
    Sessions sessions;
    auto run = db.run(sqlite_queries::kListSessions, user.value(), now);
    while (run.next()) sessions.push_back(session_at(run, 0));
    return sessions;
  });
}

Task<Result<std::int64_t>> SqliteSessionStore::purge(Purge purge, Deadline deadline) {
  return db_.write<std::int64_t>(deadline, [purge](Transaction& tx) -> Result<std::int64_t> {
    return erase(tx, sqlite_queries::kPurgeSessions, to_micros(purge.now), purge.limit);
  });
}

}  // namespace um
