// CachedSessionStore: a SessionStore around a SessionStore. Reads of one session come from memory
// as far as the protocol allows; everything else is passed on (see cached_user_store.hpp).
//
// A request's max-stale does not apply to sessions: only the operator may decide that a sign-out
// takes effect late while the database is away.
//
// Thread safety: as SessionStore says. `inner` and `cache` outlive the store.
#pragma once

#include "cache/read_through.hpp"
#include "storage/session_store.hpp"

namespace um {

class CachedSessionStore final : public SessionStore {
 public:
  CachedSessionStore(SessionStore& inner, Cache& cache)
      : inner_{inner}, cache_{cache}, reads_{cache} {}

  std::optional<SessionReading> find_now(const SessionId& id, const ReadOptions& options,
                                         BootTime now) override;
  Task<Result<SessionReading>> find(SessionId id, ReadOptions options) override;

  Task<Result<CreatedSession>> create(NewSession session, Deadline deadline) override {
    return inner_.create(std::move(session), deadline);
  }
  Task<Result<void>> revoke(Revoke revoke, Deadline deadline) override {
    return inner_.revoke(std::move(revoke), deadline);
  }
  Task<Result<std::vector<SessionRef>>> list(UserId user, Deadline deadline) override {
    return inner_.list(user, deadline);
  }
  Task<Result<std::int64_t>> purge(Purge purge, Deadline deadline) override {
    return inner_.purge(purge, deadline);
  }

  FlightStats flight_stats() const { return reads_.flight_stats(); }

 private:
  class ById;

  std::optional<SessionReading> remembered(const SessionId& id);

  SessionStore& inner_;
  Cache& cache_;
  ReadThrough<Session> reads_;
};

}  // namespace um
