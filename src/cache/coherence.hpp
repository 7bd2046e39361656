// Coherence: the protocol that keeps memory right, as a state machine without I/O, threads or a
// clock.
//
// What happens in the database arrives through ChangeListener; what requests read comes in through
// admit(). From that follows which values may be answered from memory (docs/consistency.md):
//
// To read k:
//  1. lease_valid(now): polls have been succeeding, so all that was visible T ago is known here;
//  2. look_up(k): remembered, and nobody is about to change it;
//  3. else ask the primary, and admit(k, snapshot, value).
//
// The order of 1 and 2 matters. Were the value fetched first, it could be thrown out by a poll that
// also renews the lease, and the check that follows would find the lease valid and pass the old
// value. With the lease first the poll only makes the look-up fresher.
//
// Why a hit is right: the lease says that a poll sent less than T ago has been applied, in full,
// before the lease was written (release; read with acquire). That poll erased every key that had
// changed or was held; what came in since was judged against B, the log and the holds; what this
// process changes is held from before the commit until the commit is in the log. So a remembered
// value can only be older than the database by changes of others within T.
//
// Of a feed whose τ can change while this process writes, more is asked: a key whose write settled
// between the question of the poll that brings a new τ and its apply() stays held until a later
// poll, because the log of the old τ is thrown away. (SQLite's feed polls and commits on one
// thread; PostgreSQL's holds such keys itself.)
//
// Thread safety: every function may be called from any thread. The listener's functions do not
// block (short locks only) and do not call back. Locks: the poll's mutex, then one shard's; never
// two shards.
//
// Invariants:
//  1. lease_until_ is the last thing that apply() writes, and it depends on `sent_at`, the moment
//     before the question was sent: what the database did after that is not claimed to be known.
//  2. A flush moves a shard to a new (τ, B) and empties it in one critical section.
//  3. A value gets into a shard through admit() only.
//  4. The number of log entries is bounded by 3 * max_log_entries, the bytes by capacity_bytes.
#pragma once

#include <atomic>
#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cache/coherence_shard.hpp"
#include "storage/change_feed.hpp"

namespace um {

struct CoherenceSettings {
  // T: how old an answer can be with respect to changes made by others. Smaller means more polls.
  std::chrono::nanoseconds staleness_bound = std::chrono::milliseconds{500};
  // Y: a lease also ends this long after the last acknowledged refresh of the registry of instances
  // was sent. nullopt: a registry of one (SQLite), nothing to refresh.
  std::optional<std::chrono::nanoseconds> registry_bound{};
  // All of L1. Below a few hundred KiB per shard fewer shards are used.
  std::size_t capacity_bytes = std::size_t{256} << 20;
  // More shards mean less waiting for each other and more fixed cost per poll.
  std::size_t shards = 64;
  // Bound of the log, in pairs of key and transaction (about 100 bytes each). A smaller one refuses
  // more of the values that were read long ago, such as those from a second level.
  std::size_t max_log_entries = 100'000;
  // K: a poll with more changes than this is cheaper to follow by starting from nothing.
  std::size_t max_poll_changes = 10'000;
};

class Coherence final : public ChangeListener {
 public:
  explicit Coherence(CoherenceSettings settings);
  Coherence(CoherenceSettings settings, KeyHash::Seed seed);

  // Step 1. `now` is a moment after the request had arrived.
  bool lease_valid(BootTime now) {
    if (now < lease_until_.load(std::memory_order_acquire)) return true;
    note_read_without_lease();
    return false;
  }
  // Step 2. REQUIRES: lease_valid() was true before, for an answer that claims to be fresh. Does
  // not allocate.
  std::optional<L1Value> look_up(std::string_view key);
  // Step 3: the one way into L1. `read_in` is the stamp of the statement that read the value.
  Admission admit(std::string_view key, const Stamp& read_in, L1Value value);
  // When the question of the last applied poll was sent: what look_up() finds is not older than
  // that, lease or no lease. nullopt: no poll was applied yet.
  std::optional<BootTime> known_at() const;

  void hold(std::span<const std::string> keys) override;
  void settle(std::span<const std::string> keys, std::optional<Xid> xid) override;
  void apply(const Poll& poll) override;
  void acknowledge_refresh(BootTime sent_at) override;
  void end_lease() override;

  CoherenceStats stats(BootTime now) const;

 private:
  struct ShardWork;

  CoherenceShard& shard_of(HashedKey key) {
    return *shards_[(key.hash >> 40) & (shards_.size() - 1)];
  }
  std::optional<std::string_view> reason_to_flush(const Poll& poll) const;
  bool starts_from_base(const Poll& poll) const;
  struct Flush {
    const Poll& poll;
    const Snapshot& base;
    std::string_view reason;
  };
  void flush(const Flush& how, std::vector<ShardWork>& work);
  void follow(const Poll& poll, std::vector<ShardWork>& work);
  void trim_logs();
  std::size_t move_bases(const Snapshot& snapshot);
  void renew_lease(BootTime now_at_least);
  void note_read_without_lease();
  void note_lapse();  // once per lease

  const CoherenceSettings settings_;
  const KeyHash hash_;
  std::vector<std::unique_ptr<CoherenceShard>>
      shards_;  // a power of two; each guarded by its mutex

  alignas(64) std::atomic<BootTime> lease_until_{BootTime::min()};

  // Log entries in all shards: what the last poll counted, and the writes of this process since.
  // An estimate: a write that settles while a poll counts may be left out, or counted twice, until
  // the next.
  std::atomic<std::size_t> logged_{0};

  // Only touched by reads that find no lease, which cost a query anyway.
  alignas(64) std::atomic<bool> lapse_noted_{true};
  std::atomic<std::uint64_t> lapsed_leases_{0};
  std::atomic<std::uint64_t> reads_without_lease_{0};

  // Guarded by poll_mutex_.
  mutable std::mutex poll_mutex_;
  std::optional<Stamp> last_;  // S and τ
  std::optional<BootTime> last_sent_at_;
  std::optional<BootTime> last_refresh_;
  std::deque<Snapshot> checkpoints_;  // some earlier S, oldest first: where B can move to
  std::size_t logged_since_checkpoint_ = 0;
  std::size_t logged_by_poll_ = 0;  // in all shards, when the last poll counted them
  std::uint64_t polls_ = 0;
  std::uint64_t changes_ = 0;
  std::map<std::string, std::uint64_t, std::less<>> flushes_;
};

}  // namespace um
