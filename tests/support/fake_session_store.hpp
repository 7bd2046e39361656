// FakeSessionStore: a SessionStore in memory over a FakeUserStore, for unit tests. For one thread.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <vector>

#include "storage/session_store.hpp"
#include "support/fake_user_store.hpp"

namespace um::testing {

class FakeSessionStore final : public SessionStore {
 public:
  struct Calls {
    int find = 0;
    int find_now = 0;
    int from_primary = 0;
    int create = 0;
  };

  FakeSessionStore(FakeUserStore& users, const Clock& clock) : users_{users}, clock_{clock} {}

  std::map<SessionId, SessionRef> rows;
  Calls calls;
  std::vector<BootTime> deadlines;      // of every call that had one, in order
  std::optional<Error> failure;         // what every call answers while it is set
  bool in_memory = false;               // does find_now know everything?
  std::function<void()> before_find;    // what others do before a session is read
  std::function<void()> after_find;     // what others do once a session was read
  std::function<void()> before_create;  // what others do while a hash is being computed

  std::optional<SessionReading> find_now(const SessionId& id, const ReadOptions&,
                                         BootTime) override {
    ++calls.find_now;
    if (!in_memory) return std::nullopt;
    return SessionReading{.value = look_up(id), .source = Source::l1};
  }
  Task<Result<SessionReading>> find(SessionId id, ReadOptions options) override {
    ++calls.find;
    deadlines.push_back(options.deadline.at);
    if (options.from_primary) ++calls.from_primary;
    if (failure) co_return fail(*failure);
    if (before_find) before_find();
    SessionReading reading{.value = look_up(id)};
    if (after_find) after_find();
    co_return reading;
  }

  Task<Result<CreatedSession>> create(NewSession made, Deadline deadline) override {
    ++calls.create;
    deadlines.push_back(deadline.at);
    if (before_create) before_create();
    if (failure) co_return fail(*failure);
    const auto row = users_.rows.find(made.user_id);
    if (row == users_.rows.end() || !row->second.user.is_active ||
        (made.verified_hash && !(*made.verified_hash == row->second.hash))) {
      co_return fail(ErrorCode::invalid_credentials);
    }
    User& user = row->second.user;
    if (made.kind == SessionKind::login) user.last_login_at = made.created_at;
    const auto session = std::make_shared<const Session>(Session{.id = made.id,
                                                                 .user_id = made.user_id,
                                                                 .auth_epoch = user.auth_epoch,
                                                                 .kind = made.kind,
                                                                 .created_at = made.created_at,
                                                                 .expires_at = made.expires_at,
                                                                 .address = made.address,
                                                                 .user_agent = made.user_agent});
    rows.insert_or_assign(made.id, session);
    co_return CreatedSession{.session = session, .user = make_record(user)};
  }
  Task<Result<void>> revoke(Revoke revoke, Deadline deadline) override {
    deadlines.push_back(deadline.at);
    if (failure) co_return fail(*failure);
    const auto found = rows.find(revoke.id);
    if (found == rows.end() || (revoke.owner && found->second->user_id != *revoke.owner)) {
      co_return fail(ErrorCode::not_found);
    }
    rows.erase(found);
    co_return Result<void>{};
  }
  Task<Result<std::vector<SessionRef>>> list(UserId user, Deadline deadline) override {
    deadlines.push_back(deadline.at);
    if (failure) co_return fail(*failure);
    std::vector<SessionRef> alive;
    for (const auto& [id, session] : rows) {
      const auto row = users_.rows.find(user);
      if (session->user_id == user && row != users_.rows.end() &&
          session->auth_epoch == row->second.user.auth_epoch &&
          clock_.wall_now() < session->expires_at) {
        alive.push_back(session);
      }
    }
    std::ranges::sort(alive, std::greater{}, [](const SessionRef& s) { return s->created_at; });
    co_return alive;
  }
  Task<Result<std::int64_t>> purge(Purge purge, Deadline) override {
    co_return static_cast<std::int64_t>(std::erase_if(
        rows, [&](const auto& entry) { return entry.second->expires_at < purge.now; }));
  }

 private:
  SessionRef look_up(const SessionId& id) const {
    const auto found = rows.find(id);
    return found == rows.end() ? nullptr : found->second;
  }
  FakeUserStore& users_;
  const Clock& clock_;
};

}  // namespace um::testing
