// CoherenceShard: the part of L1 and of the protocol's state that one lock guards.
//
// Everything that decides about a key is in the key's shard, next to its value. So each rule is one
// critical section: "is it held, is it stored" for a look-up; "is it admissible, then insert" for a
// fill; "log it, erase it" for a change. No operation needs two shards at once, so there is no
// order of locks.
//
// Thread safety: none of the functions locks; callers hold `mutex`.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "cache/admission.hpp"
#include "cache/cache_stats.hpp"
#include "cache/l1_store.hpp"

namespace um {

class CoherenceShard {
 public:
  struct Capacity {
    std::size_t values_bytes;
    std::size_t absent_bytes;
  };
  explicit CoherenceShard(Capacity capacity)
      : values_{capacity.values_bytes}, absent_{capacity.absent_bytes} {}

  // nullopt: not stored, or held.
  std::optional<L1Value> look_up(HashedKey key);
  bool held(std::string_view key) const {
    return (!local_holds_.empty() && local_holds_.contains(key)) ||
           (!database_holds_.empty() && database_holds_.contains(key));
  }
  bool stores(HashedKey key) { return !held(key.bytes) && stored(key) != nullptr; }
  Admission admit(HashedKey key, const Stamp& read_in, L1Value value);

  // A change under `xid` became visible in the last applied snapshot.
  void record(HashedKey key, Xid xid);
  void hold(HashedKey key);
  // REQUIRES: a hold() of the same key that was not settled yet.
  void settle(HashedKey key, std::optional<Xid> xid);
  // The changes of the poll with the snapshot `applied` are recorded. `held`: all keys of this
  // shard that are held in the database now; they replace the previous ones.
  void finish_poll(std::shared_ptr<const Snapshot> applied, std::vector<HashedKey> held);
  // Moves B to the last applied snapshot. If more than `at_most` entries remain, B takes all of
  // them in. Then values that were read while one of their transactions was open are refused until
  // a poll sees that transaction end.
  void shorten_log(std::size_t at_most);

  // What a flush removed; to be freed after all locks were released.
  struct Debris {
    L1Store values{0};
    L1Store absent{0};
    ChangeLog log{};
  };
  struct Flush {
    const Tau& tau;
    const Snapshot& base;
    // Transaction ids continue: the log keeps the transactions that the new base does not
    // see.
    bool same_numbering;
  };
  void flush(Flush flush, Debris& debris);

  ChangeLog& log() { return log_; }
  const ChangeLog& log() const { return log_; }
  void add_to(ShardNumbers<std::uint64_t>& sum) const;

  mutable std::mutex mutex;

 private:
  const L1Value* stored(HashedKey key) {
    const L1Value* value = values_.find(key);
    return value != nullptr ? value : absent_.find(key);
  }
  void forget(HashedKey key) {
    values_.erase(key);
    absent_.erase(key);
  }

  std::optional<Tau> tau_;                   // nullopt before the first poll: nothing is admitted
  ChangeLog log_;                            // with B
  std::shared_ptr<const Snapshot> applied_;  // S; the same for all shards
  // Absent keys have a small store of their own: requests for a million ids that do not exist evict
  // other absent keys, never a user.
  L1Store values_;
  L1Store absent_;
  std::unordered_map<std::string, std::uint32_t, StringHash, std::equal_to<>> local_holds_;
  std::unordered_set<std::string, StringHash, std::equal_to<>> database_holds_;
  ShardNumbers<std::uint64_t> counted_;  // its levels are read from the stores
};

}  // namespace um
