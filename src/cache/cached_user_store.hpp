// CachedUserStore: a UserStore around a UserStore. Reads of one user by id or by e-mail come from
// memory as far as the protocol allows (coherence.hpp); everything else is passed on.
//
// Writes need no code here: every change of a user reaches L1 through the ChangeFeed, and writes of
// this process hold their keys from before the commit.
//
// By e-mail: the address leads to an id, the id to the user, and the user found must still have the
// address. Two keys are two look-ups at two moments; with the check their combination is an answer
// that was true at the moment of the second. A query by e-mail is one statement and gives facts for
// both keys.
//
// Thread safety: as UserStore says. `inner` and `cache` outlive the store.
#pragma once

#include "cache/read_through.hpp"
#include "storage/user_store.hpp"

namespace um {

class CachedUserStore final : public UserStore {
 public:
  CachedUserStore(UserStore& inner, Cache& cache) : inner_{inner}, cache_{cache}, reads_{cache} {}

  std::optional<UserReading> find_now(UserId id, const ReadOptions& options, BootTime now) override;
  std::optional<UserReading> find_now(const Email& email, const ReadOptions& options,
                                      BootTime now) override;
  Task<Result<UserReading>> find(UserId id, ReadOptions options) override;
  Task<Result<UserReading>> find(Email email, ReadOptions options) override;

  Task<Result<std::vector<UserRef>>> list(Page page, Deadline deadline) override {
    return inner_.list(page, deadline);
  }
  Task<Result<std::vector<UserRef>>> search(std::string keyword, Page page,
                                            Deadline deadline) override {
    return inner_.search(std::move(keyword), page, deadline);
  }
  Task<Result<std::int64_t>> count(std::string keyword, Deadline deadline) override {
    return inner_.count(std::move(keyword), deadline);
  }
  Task<Result<bool>> has_admin(Deadline deadline) override { return inner_.has_admin(deadline); }
  Task<Result<UserRef>> insert(NewUser user, Deadline deadline) override {
    return inner_.insert(std::move(user), deadline);
  }
  Task<Result<std::vector<Result<UserId>>>> insert_many(InsertMany batch,
                                                        Deadline deadline) override {
    return inner_.insert_many(std::move(batch), deadline);
  }
  Task<Result<UserRef>> update(UpdateUser update, Deadline deadline) override {
    return inner_.update(std::move(update), deadline);
  }
  Task<Result<void>> remove(RemoveUser request, Deadline deadline) override {
    return inner_.remove(std::move(request), deadline);
  }
  Task<Result<UsageTotals>> add_usage(UsageRecord usage, Deadline deadline) override {
    return inner_.add_usage(std::move(usage), deadline);
  }
  Task<Result<std::optional<Credentials>>> credentials(Email email, Deadline deadline) override {
    return inner_.credentials(std::move(email), deadline);
  }
  Task<Result<std::optional<Credentials>>> credentials(UserId id, Deadline deadline) override {
    return inner_.credentials(id, deadline);
  }
  Task<Result<void>> rehash(Rehash rehash, Deadline deadline) override {
    return inner_.rehash(std::move(rehash), deadline);
  }
  Task<Result<void>> end_sessions(UserId id, Deadline deadline) override {
    return inner_.end_sessions(id, deadline);
  }
  // Deletes the user's facts from L2 as well, although they could not be admitted any more.
  Task<Result<void>> invalidate(UserId id, Deadline deadline) override;

  FlightStats flight_stats() const { return reads_.flight_stats(); }

 private:
  class ById;
  class ByEmail;

  std::optional<UserReading> remembered(UserId id);
  std::optional<UserReading> remembered(const Email& email);
  std::chrono::seconds most_stale(const ReadOptions& options) const {
    return std::max(options.max_stale, cache_.stale_if_error());
  }

  UserStore& inner_;
  Cache& cache_;
  ReadThrough<UserRecord> reads_;
};

}  // namespace um
