// Coherence: the protocol that keeps L1 right, as a state machine without I/O, threads or a clock.
//
// Changes in the database arrive through ChangeListener; values that requests read arrive through
// admit(). Both decide which values may be answered from memory (docs/consistency.md).
//
// To read k:
//  1. lease_valid(now): recent polls succeeded, so every change visible T ago is known here;
//  2. look_up(k): the value is stored, and no write to k is under way;
//  3. otherwise ask the primary, then admit(k, snapshot, value).
//
// The order of 1 and 2 matters. If the value were fetched first, a poll could erase it and renew
// the lease, and the following check would find the lease valid and let the old value pass. With
// the lease first, such a poll only makes the look-up fresher.
//
// Why a hit is right: a valid lease means that a poll sent less than T ago was applied completely
// before the lease was written (release; read with acquire). That poll erased every key that had
// changed or was held. Values admitted since then were judged by B, the log and the holds. A key
// that this process changes is held from before the commit until the commit is in the log. So a
// stored value lacks at most changes of other writers within T.
//
// A feed with a τ that can change while this process writes has one more duty. If the write of a
// key settles between the sending of the poll that brings a new τ and its apply(), the key stays
// held until a later poll, because the log of the old τ is thrown away. (SQLite's feed polls and
// commits on one thread; PostgreSQL's feed holds such keys itself.)
//
// Thread safety: every function may be called from any thread. The listener's functions do not
// block (short locks only) and do not call back. Order of locks: the poll's mutex, then one
// shard's; never two shards. A caller of admit() and look_up() may hold the lock of a shard of
// flights (async/single_flight.hpp).
//
// Invariants:
//  1. lease_until_ is the last thing that apply() writes. It depends on `sent_at`, the moment
//  before
//     the poll was sent: later changes in the database are not claimed to be known.
//  2. A flush moves a shard to a new (τ, B) and empties it in one critical section.
//  3. A value gets into a shard through admit() only.
//  4. The log has at most 3 * max_log_entries entries, L1 at most capacity_bytes bytes.
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
  // T: how late an answer may reflect changes of other writers. A smaller value means more polls.
  std::chrono::nanoseconds staleness_bound = std::chrono::milliseconds{500};
  // Y: a lease also ends this long after the last acknowledged refresh of the registry of instances
  // was sent. nullopt: a registry of one (SQLite), nothing to refresh.
  std::optional<std::chrono::nanoseconds> registry_bound{};
  // Of all shards together. Below a few hundred KiB per shard fewer shards are used.
  std::size_t capacity_bytes = std::size_t{256} << 20;
  // More shards mean less contention and more fixed cost per poll.
  std::size_t shards = 64;
  // Bound of the log, in pairs of key and transaction (about 100 bytes each). With a smaller one
  // more values that were read long ago are refused, such as those from L2.
  std::size_t max_log_entries = 100'000;
  // K: a poll with more changes than this flushes, which is cheaper than following it.
  std::size_t max_poll_changes = 10'000;
};

class Coherence final : public ChangeListener {
 public:
  explicit Coherence(CoherenceSettings settings);
  Coherence(CoherenceSettings settings, KeyHash::Seed seed);

  // Step 1. `now` was read after the request had arrived.
  bool lease_valid(BootTime now) {
    if (now < lease_until_.load(std::memory_order_acquire)) return true;
    note_read_without_lease();
    return false;
  }
  // Step 2. REQUIRES: lease_valid() was true before, for an answer that claims to be fresh. Does
  // not allocate.
  std::optional<L1Value> look_up(std::string_view key);
  // Whether look_up() would find the key, for a caller that does not answer with the value: counts
  // no hit.
  bool stores(std::string_view key);
  // Whether the key is held: nothing but the primary can answer it.
  bool holds(std::string_view key);
  // Step 3: the one way into L1. `read_in` is the stamp of the statement that read the value.
  Admission admit(std::string_view key, const Stamp& read_in, L1Value value);
  // When the last applied poll was sent: a value that look_up() finds was right at that moment or
  // later, with or without a valid lease. nullopt: no poll was applied yet.
  std::optional<BootTime> known_at() const;

  void hold(std::span<const std::string> keys) override;
  void settle(std::span<const std::string> keys, std::optional<Xid> xid) override;
  Leftovers apply(const Poll& poll) override;
  void acknowledge_refresh(BootTime sent_at) override;
  void end_lease() override;

  CoherenceStats stats(BootTime now) const;

 private:
  struct ShardWork;
  using Debris = std::vector<CoherenceShard::Debris>;  // by shard

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
  void flush(const Flush& how, std::vector<ShardWork>& work, Debris& debris);
  void follow(const Poll& poll, std::vector<ShardWork>& work);
  void trim_logs();
  std::size_t move_bases(const Snapshot& snapshot);
  void renew_lease(BootTime now_at_least);
  void revoke_lease();
  void note_read_without_lease();
  void note_lapse();  // once per lease

  const CoherenceSettings settings_;
  const KeyHash hash_;
  // Their number is a power of two; each is guarded by its mutex.
  std::vector<std::unique_ptr<CoherenceShard>> shards_;

  alignas(64) std::atomic<BootTime> lease_until_{BootTime::min()};

  // Log entries in all shards: the count of the last poll, plus the writes of this process since
  // then. An estimate: a write that settles while a poll counts may be missed, or counted twice,
  // until the next poll.
  std::atomic<std::size_t> logged_{0};

  // Written only by polls, and by reads without a valid lease, which cost a query anyway.
  alignas(64) std::atomic<bool> lapse_noted_{true};
  CoherenceNumbers<Counter> counters_;

  // Guarded by poll_mutex_.
  mutable std::mutex poll_mutex_;
  std::optional<Stamp> last_;  // S and τ
  std::optional<BootTime> last_sent_at_;
  std::optional<BootTime> last_refresh_;
  std::deque<Snapshot> checkpoints_;  // some earlier S, oldest first: B can move to them
  std::size_t logged_since_checkpoint_ = 0;
  std::size_t logged_by_poll_ = 0;  // entries in all shards when the last poll counted them
  std::map<std::string, std::uint64_t, std::less<>> flushes_;
};

}  // namespace um
