// SessionStore: the table of sessions. Thread safety and common errors as in user_store.hpp.
#pragma once

#include <optional>
#include <vector>

#include "async/task.hpp"
#include "base/error.hpp"
#include "base/secret.hpp"
#include "storage/purge.hpp"
#include "storage/reading.hpp"
#include "user/session.hpp"
#include "user/user.hpp"

namespace um {

using SessionReading = Reading<Session>;

struct NewSession {
  SessionId id;
  UserId user_id;
  SessionKind kind = SessionKind::login;
  WallTime created_at{};
  WallTime expires_at{};
  std::string address{};
  std::string user_agent{};
  // Logins only: the hash that the password was checked against. The transaction locks the user's
  // row and inserts the session only if that hash is still stored and the user is active. The
  // session gets the row's auth_epoch, and last_login_at is set.
  std::optional<Secret> verified_hash{};
};

// A new session, and its user as the transaction that created the session left them.
struct CreatedSession {
  SessionRef session{};
  UserRef user{};
};

class SessionStore {
 public:
  virtual ~SessionStore() = default;

  virtual std::optional<SessionReading> find_now(const SessionId&, const ReadOptions&,
                                                 BootTime /*now*/) {
    return std::nullopt;
  }
  virtual Task<Result<SessionReading>> find(SessionId id, ReadOptions options) = 0;

  // invalid_credentials: the hash changed, or the user was deleted or disabled.
  // A user has at most kMaxSessionsPerUser sessions; a new one displaces the oldest logins.
  static constexpr std::size_t kMaxSessionsPerUser = 100;
  virtual Task<Result<CreatedSession>> create(NewSession session, Deadline deadline) = 0;
  // not_found if the owner has no such session. After success no instance accepts the session.
  struct Revoke {
    SessionId id;
    std::optional<UserId> owner{};  // nullopt: any owner (administrator)
  };
  virtual Task<Result<void>> revoke(Revoke revoke, Deadline deadline) = 0;
  // The valid sessions of a user, newest first.
  virtual Task<Result<std::vector<SessionRef>>> list(UserId user, Deadline deadline) = 0;
  // Deletes sessions that expired before `now`; returns how many it deleted.
  virtual Task<Result<std::int64_t>> purge(Purge purge, Deadline deadline) = 0;
};

}  // namespace um
