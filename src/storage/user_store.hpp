// UserStore: where users are kept. Implemented by the databases, and by the cache that wraps one.
//
// Thread safety: every function may be called from any event loop; a coroutine resumes on the
// executor it was awaited on. Arguments are taken by value or outlive the call.
//
// What every implementation promises (tests/contract/user_store_contract.cpp checks it):
//  1. A write that answered success is durable, and every later read from any store over the same
//     database that goes to the primary sees it.
//  2. A write that answered an error other than unknown_outcome or timeout changed nothing.
//  3. E-mail addresses are unique without case (email_taken), usernames too (username_taken).
//  4. There is never a moment without an active administrator once there is one (last_admin).
//  5. `version` never repeats for an id, also when the user was deleted and the id imported again.
// Errors of every function: unavailable, timeout, overloaded, internal; the others are named below.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "async/task.hpp"
#include "base/error.hpp"
#include "storage/reading.hpp"
#include "user/user_change.hpp"

namespace um {

using UserReading = Reading<UserRecord>;

// What a password check needs; always read from the primary, never cached.
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

struct UpdateUser {
  UserId id;
  // Compare-and-set: conflict if the stored revision is another one (an empty digest compares the
  // version alone). nullopt: whatever is stored.
  std::optional<Revision> expected{};
  UserChange change{};
};

class UserStore {
 public:
  virtual ~UserStore() = default;

  // The answer if it is known without any I/O, at once and without allocating; else nullopt.
  // `now` was read after the request's bytes were read.
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
  // Users whose first name, last name or e-mail contains `keyword` without case (Unicode folding);
  // every character of it is ordinary. Precondition: not empty.
  virtual Task<Result<std::vector<UserRef>>> search(std::string keyword, Page page,
                                                    Deadline deadline) = 0;
  // Number of users, or of users that match `keyword` if it is not empty.
  virtual Task<Result<std::int64_t>> count(std::string keyword, Deadline deadline) = 0;
  virtual Task<Result<bool>> has_admin(Deadline deadline) = 0;

  // email_taken, username_taken, conflict (a given id exists).
  virtual Task<Result<UserRef>> insert(NewUser user, Deadline deadline) = 0;
  // In one transaction; one that fails does not take its neighbours along. Answers in input order.
  // With `rehearse` everything is checked and nothing kept (import --dry-run). For a row whose id
  // and e-mail address are both those of one user: email_taken. Rows that name no id get ids above
  // all that exist and all that others of the batch name, wherever these stand.
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
  };
  virtual Task<Result<void>> remove(RemoveUser request, Deadline deadline) = 0;

  // Adds to used_usd; many at once share a commit. A repeated idempotency key answers the totals
  // and adds nothing. not_found, invalid (the sum leaves the bound of Usd), conflict (the key was
  // used with another amount).
  virtual Task<Result<UsageTotals>> add_usage(UsageRecord usage, Deadline deadline) = 0;

  // nullopt: no such user.
  virtual Task<Result<std::optional<Credentials>>> credentials(Email email, Deadline deadline) = 0;
  virtual Task<Result<std::optional<Credentials>>> credentials(UserId id, Deadline deadline) = 0;
  // Replaces a hash by another of the same password (a new cost); ends no session, changes no
  // version. Does nothing if the stored hash is not `old_hash` any more.
  struct Rehash {
    UserId id;
    Secret old_hash;
    Secret new_hash;
  };
  virtual Task<Result<void>> rehash(Rehash rehash, Deadline deadline) = 0;
  // Bumps auth_epoch: every session of the user is over. not_found.
  virtual Task<Result<void>> end_sessions(UserId id, Deadline deadline) = 0;

  // Makes every cache of every instance forget the user (id and e-mail), known to it or not.
  virtual Task<Result<void>> invalidate(UserId id, Deadline deadline) = 0;
};

}  // namespace um
