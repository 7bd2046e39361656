// MemoryUserStore, MemorySessionStore, MemorySigningKeyStore: the stores in memory, for unit tests
// of code above them. They follow storage/rules.hpp and keep the promises of user_store.hpp. Lists
// and searches are as simple as possible. For one thread.
//
// Tests look at the rows, count calls, inject failures, and run code at the points where a real
// store would let other callers run (`before_…`, `after_…`, `on_find`).
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "storage/session_store.hpp"
#include "storage/signing_key_store.hpp"
#include "storage/user_store.hpp"

namespace um::test {

class MemoryUserStore : public UserStore {
 public:
  struct Row {
    User user;
    Secret hash;
  };
  struct Calls {
    int find = 0;
    int find_now = 0;
    int find_primary = 0;  // those of `find` that insisted on the primary
    int insert = 0;
    int update = 0;
    int remove = 0;
    int credentials = 0;
    int rehash = 0;
    int end_sessions = 0;
  };

  explicit MemoryUserStore(const Clock& clock) : clock_{clock} {}

  std::map<UserId, Row> rows;
  // Stand for a cache: find_now() answers for all rows; find() returns these values, however old
  // they are, until the primary is asked.
  bool in_memory = false;
  std::map<UserId, UserRef> cached;

  std::optional<Error> failure;         // the result of every call while it is set
  std::optional<Error> insert_failure;  // the result of every insert while it is set
  std::function<void()> before_update;  // runs at the start of every update and remove
  std::function<Task<Result<UserReading>>()> on_find;  // replaces find()

  Calls calls;
  std::vector<std::string> names;           // of all calls but find() and find_now(), in order
  std::vector<Deadline> deadlines;          // of all calls, in order
  std::optional<UserChange> last_change{};  // of the last update

  // Inserts without checks.
  UserRef add(const NewUser& user);
  // Stores `user` as it is, but with the next version.
  UserRef put(User user, Secret hash = {});
  // nullptr: there is no such user.
  UserRef get(UserId id) const;
  Secret hash_of(UserId id) const { return rows.at(id).hash; }
  // Another program's change, without checks.
  void change_behind(UserId id, const std::function<void(User&)>& change);
  void bump_epoch(UserId id) { rows.at(id).user.auth_epoch = ++last_epoch_; }
  void disable(UserId id);

  std::optional<UserReading> find_now(UserId id, const ReadOptions&, BootTime) override;
  Task<Result<UserReading>> find(UserId id, ReadOptions options) override;
  Task<Result<UserReading>> find(Email email, ReadOptions options) override;
  Task<Result<std::vector<UserRef>>> list(Page page, Deadline deadline) override;
  Task<Result<std::vector<UserRef>>> search(std::string keyword, Page page,
                                            Deadline deadline) override;
  Task<Result<std::int64_t>> count(std::string keyword, Deadline deadline) override;
  Task<Result<bool>> has_admin(Deadline deadline) override;
  Task<Result<UserRef>> insert(NewUser user, Deadline deadline) override;
  Task<Result<std::vector<Result<UserId>>>> insert_many(InsertMany batch,
                                                        Deadline deadline) override;
  Task<Result<UserRef>> update(UpdateUser update, Deadline deadline) override;
  Task<Result<void>> remove(RemoveUser request, Deadline deadline) override;
  Task<Result<UsageTotals>> add_usage(UsageRecord usage, Deadline deadline) override;
  Task<Result<std::optional<Credentials>>> credentials(Email email, Deadline deadline) override;
  Task<Result<std::optional<Credentials>>> credentials(UserId id, Deadline deadline) override;
  Task<Result<void>> rehash(Rehash rehash, Deadline deadline) override;
  Task<Result<void>> end_sessions(UserId id, Deadline deadline) override;
  Task<Result<void>> invalidate(UserId id, Deadline deadline) override;

 private:
  // Records the call; returns the failure to answer with.
  std::optional<Error> enter(const char* name, Deadline deadline);
  Task<Result<UserReading>> find_row(UserId id, ReadOptions options);
  Task<Result<UserReading>> find_row(Email email, ReadOptions options);
  const Row* by_email(const Email& email) const;
  Result<UserRef> insert_row(const NewUser& user);
  std::optional<Error> taken(const User& user, std::optional<UserId> self) const;
  bool other_admin(UserId id) const;
  std::vector<UserRef> matching(const std::string& keyword, Page page) const;

  const Clock& clock_;
  std::int64_t last_id_ = 0;
  std::int64_t last_version_ = 0;
  std::int64_t last_epoch_ = 100;
};

// The sessions of the users in a MemoryUserStore.
class MemorySessionStore : public SessionStore {
 public:
  struct Calls {
    int find = 0;
    int find_now = 0;
    int from_primary = 0;
    int create = 0;
  };

  MemorySessionStore(MemoryUserStore& users, const Clock& clock) : users_{users}, clock_{clock} {}

  std::map<SessionId, SessionRef> rows;
  bool in_memory = false;  // find_now() answers for all rows

  std::optional<Error> failure;         // the result of every call while it is set
  std::function<void()> before_find;    // before a session is read
  std::function<void()> after_find;     // after a session was read
  std::function<void()> before_create;  // while a password is being hashed
  std::function<Task<Result<SessionReading>>()> on_find;  // replaces find()

  Calls calls;
  std::vector<std::string> names;   // of all calls but find() and find_now(), in order
  std::vector<BootTime> deadlines;  // of all calls, in order

  std::optional<SessionReading> find_now(const SessionId& id, const ReadOptions&,
                                         BootTime) override;
  Task<Result<SessionReading>> find(SessionId id, ReadOptions options) override;
  Task<Result<CreatedSession>> create(NewSession wanted, Deadline deadline) override;
  Task<Result<void>> revoke(Revoke revoke, Deadline deadline) override;
  Task<Result<std::vector<SessionRef>>> list(UserId user, Deadline deadline) override;
  Task<Result<std::int64_t>> purge(Purge purge, Deadline deadline) override;

 private:
  std::optional<Error> enter(const char* name, Deadline deadline);
  Task<Result<SessionReading>> find_row(SessionId id, ReadOptions options);
  SessionRef look_up(const SessionId& id) const;

  MemoryUserStore& users_;
  const Clock& clock_;
};

class MemorySigningKeyStore final : public SigningKeyStore {
 public:
  std::vector<SigningKey> rows;  // newest first
  std::optional<Error> failure;  // the result of every call while it is set
  int lists = 0;

  Task<Result<std::vector<SigningKey>>> list(Deadline deadline) override;
  Task<Result<SigningKey>> insert_first(SigningKey key, Deadline deadline) override;
  Task<Result<void>> rotate(Rotate rotate, Deadline deadline) override;
  Task<Result<void>> revoke(Revoke revoke, Deadline deadline) override;
};

}  // namespace um::test
