// UserStore: the table of users. The databases implement it, and the cache that wraps a database.
//
// Thread safety: every function may be called from any event loop; a coroutine resumes on the
// executor that awaits it. Arguments are taken by value or outlive the call.
//
// Every implementation promises (tests/contract/user_store_contract.cpp checks it):
//  1. A write that returned success is durable. Every later read from the primary sees it, through
//     any store over the same database.
//  2. A write that returned an error other than unknown_outcome or timeout changed nothing.
//  3. E-mail addresses are unique without case (email_taken), usernames too (username_taken).
//  4. Once an active administrator exists, there is one at every moment (last_admin).
//  5. `version` never repeats for an id, even if the user was deleted and the id imported again.
// Errors of every function: unavailable, timeout, overloaded, internal; the others are named below.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "async/task.hpp"
#include "base/error.hpp"
#include "storage/reading.hpp"
#include "user/user_change.hpp"

namespace um {

using UserReading = Reading<UserRecord>;

// The input of a password check; always read from the primary, never cached.
struct Credentials {
  UserRef user;
  Secret password_hash;  // empty: cannot sign in
};

struct UsageRecord {
  UserId user;
  Usd amount;                                    // ≥ 0
  std::optional<std::string> idempotency_key{};  // at most 255 bytes; unique per user for 24 hours
};
struct UsageTotals {
  Usd used_usd;
  std::optional<Usd> quota_usd;
};

// A change of a user: either the same change of whatever row is stored, or one that `plan` makes
// from the stored row.
struct UpdateUser {
  UserId id;
  // Compare-and-set: conflict if the stored revision differs (an empty digest compares the version
  // alone). nullopt: no comparison.
  std::optional<Revision> expected{};
  UserChange change{};
  // Takes the place of `change`. Pure, called from any thread, and again for another row if the
  // row was changed meanwhile; its error is the answer.
  std::function<Result<UserChange>(const UserRecord&)> plan{};
  // The row as the caller knows it. It may be old: nothing is refused, and nothing is left
  // unwritten, because of a row that was not read from the primary.
  UserRef known{};
};

class UserStore {
 public:
  virtual ~UserStore() = default;

  // The answer if memory has it, without I/O and without allocating; else nullopt. `now` was read
  // after the bytes of the request.
  virtual std::optional<UserReading> find_now(UserId, const ReadOptions&, BootTime /*now*/) {
    return std::nullopt;
  }
  virtual std::optional<UserReading> find_now(const Email&, const ReadOptions&, BootTime /*now*/) {
    return std::nullopt;
  }
  virtual Task<Result<UserReading>> find(UserId id, ReadOptions options) = 0;
  virtual Task<Result<UserReading>> find(Email email, ReadOptions options) = 0;

  // At most page.limit users by ascending id.
  virtual Task<Result<std::vector<UserRef>>> list(Page page, Deadline deadline) = 0;
  // Users with `keyword` in their first name, last name or e-mail, without case (Unicode folding).
  // No character of the keyword is a wildcard. Precondition: not empty.
  virtual Task<Result<std::vector<UserRef>>> search(std::string keyword, Page page,
                                                    Deadline deadline) = 0;
  // The number of users, or of users that match `keyword` if it is not empty.
  virtual Task<Result<std::int64_t>> count(std::string keyword, Deadline deadline) = 0;
  virtual Task<Result<bool>> has_admin(Deadline deadline) = 0;

  // email_taken, username_taken, conflict (a given id exists).
  virtual Task<Result<UserRef>> insert(NewUser user, Deadline deadline) = 0;
  // In one transaction. A row that fails does not affect the others. Results are in input order.
  // With `rehearse` every check is made and nothing is stored (import --dry-run). A row with id and
  // e-mail address of the same user: email_taken. Rows without an id get ids above all existing ids
  // and above all ids given anywhere in the batch.
  struct InsertMany {
    std::vector<NewUser> users{};
    bool rehearse = false;
  };
  virtual Task<Result<std::vector<Result<UserId>>>> insert_many(InsertMany batch,
                                                                Deadline deadline) = 0;
  // not_found, conflict, email_taken, username_taken, last_admin.
  virtual Task<Result<UserRef>> update(UpdateUser update, Deadline deadline) = 0;
  // Also ends the user's sessions. not_found, conflict, last_admin.
  struct RemoveUser {
    UserId id;
    std::optional<Revision> expected{};
    // As in UpdateUser: whether the row may be removed.
    std::function<Result<void>(const UserRecord&)> allow{};
    UserRef known{};
  };
  virtual Task<Result<void>> remove(RemoveUser request, Deadline deadline) = 0;

  // Adds to used_usd; concurrent calls share a commit. A repeated idempotency key returns the
  // totals and adds nothing. not_found, invalid (the sum exceeds the bound of Usd), conflict (the
  // key was used with another amount).
  virtual Task<Result<UsageTotals>> add_usage(UsageRecord usage, Deadline deadline) = 0;

  // nullopt: no such user.
  virtual Task<Result<std::optional<Credentials>>> credentials(Email email, Deadline deadline) = 0;
  virtual Task<Result<std::optional<Credentials>>> credentials(UserId id, Deadline deadline) = 0;
  // Replaces a hash by another of the same password (a new cost). Ends no session and changes no
  // version. Does nothing if the stored hash is no longer `old_hash`.
  struct Rehash {
    UserId id;
    Secret old_hash;
    Secret new_hash;
  };
  virtual Task<Result<void>> rehash(Rehash rehash, Deadline deadline) = 0;
  // Changes auth_epoch, which ends every session of the user. not_found.
  virtual Task<Result<void>> end_sessions(UserId id, Deadline deadline) = 0;

  // Removes the user (id and e-mail) from the caches of all instances, whether it exists or not.
  virtual Task<Result<void>> invalidate(UserId id, Deadline deadline) = 0;
};

}  // namespace um
