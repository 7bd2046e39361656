#include "cache/coherence.hpp"

#include <algorithm>
#include <bit>
#include <utility>

namespace um {
namespace {

constexpr std::size_t kMinShardBytes = std::size_t{256} << 10;
// This fraction of each shard is for absent keys: about 30,000 of them in the default 256 MiB.
constexpr std::size_t kAbsentPart = 64;
constexpr std::size_t kCheckpoints = 16;

std::size_t shard_count(const CoherenceSettings& settings) {
  const std::size_t wanted = std::max<std::size_t>(settings.shards, 1);
  const std::size_t useful = std::max<std::size_t>(settings.capacity_bytes / kMinShardBytes, 1);
  return std::bit_floor(std::min(wanted, useful));
}

}  // namespace

// The part of one poll that concerns one shard.
struct Coherence::ShardWork {
  std::vector<std::pair<HashedKey, Xid>> changes;
  std::vector<HashedKey> holds;
};

Coherence::Coherence(CoherenceSettings settings)
    : Coherence{std::move(settings), KeyHash::random_seed()} {}

Coherence::Coherence(CoherenceSettings settings, KeyHash::Seed seed)
    : settings_{std::move(settings)}, hash_{seed} {
  const std::size_t count = shard_count(settings_);
  const std::size_t each = settings_.capacity_bytes / count;
  const std::size_t absent = each / kAbsentPart;
  for (std::size_t i = 0; i < count; ++i)
    shards_.push_back(std::make_unique<CoherenceShard>(
        CoherenceShard::Capacity{.values_bytes = each - absent, .absent_bytes = absent}));
}

std::optional<L1Value> Coherence::look_up(std::string_view key) {
  const HashedKey hashed = hash_.hashed(key);
  CoherenceShard& shard = shard_of(hashed);
  const std::scoped_lock lock{shard.mutex};
  return shard.look_up(hashed);
}

bool Coherence::stores(std::string_view key) {
  const HashedKey hashed = hash_.hashed(key);
  CoherenceShard& shard = shard_of(hashed);
  const std::scoped_lock lock{shard.mutex};
  return shard.stores(hashed);
}

bool Coherence::holds(std::string_view key) {
  const HashedKey hashed = hash_.hashed(key);
  CoherenceShard& shard = shard_of(hashed);
  const std::scoped_lock lock{shard.mutex};
  return shard.held(hashed.bytes);
}

Admission Coherence::admit(std::string_view key, const Stamp& read_in, L1Value value) {
  const HashedKey hashed = hash_.hashed(key);
  CoherenceShard& shard = shard_of(hashed);
  const std::scoped_lock lock{shard.mutex};
  return shard.admit(hashed, read_in, std::move(value));
}

std::optional<BootTime> Coherence::known_at() const {
  const std::scoped_lock lock{poll_mutex_};
  return last_sent_at_;
}

void Coherence::hold(std::span<const std::string> keys) {
  for (const auto& key : keys) {
    const HashedKey hashed = hash_.hashed(key);
    CoherenceShard& shard = shard_of(hashed);
    const std::scoped_lock lock{shard.mutex};
    shard.hold(hashed);
  }
}

void Coherence::settle(std::span<const std::string> keys, std::optional<Xid> xid) {
  const std::size_t fair_part = settings_.max_log_entries / shards_.size();
  for (const auto& key : keys) {
    const HashedKey hashed = hash_.hashed(key);
    CoherenceShard& shard = shard_of(hashed);
    const std::scoped_lock lock{shard.mutex};
    const std::size_t before = shard.log().size();
    shard.settle(hashed, xid);
    if (shard.log().size() == before) continue;
    // Between two polls only writes of this process make the log longer.
    const std::size_t logged = logged_.fetch_add(1, std::memory_order_relaxed) + 1;
    if (logged <= 2 * settings_.max_log_entries || before < fair_part) continue;
    shard.shorten_log(fair_part);
    logged_.fetch_sub(before + 1 - shard.log().size(), std::memory_order_relaxed);
  }
}

Leftovers Coherence::apply(const Poll& poll) {
  std::vector<ShardWork> work(shards_.size());
  auto debris = std::make_unique<Debris>();
  const std::scoped_lock lock{poll_mutex_};
  const auto work_for = [&](HashedKey key) -> ShardWork& {
    return work[(key.hash >> 40) & (shards_.size() - 1)];
  };
  for (const auto& key : poll.holds) {
    const HashedKey hashed = hash_.hashed(key);
    work_for(hashed).holds.push_back(hashed);
  }
  const auto reason = reason_to_flush(poll);
  const bool from_base = reason && starts_from_base(poll);
  if (!reason || from_base) {
    for (const auto& change : poll.changes) {
      const HashedKey hashed = hash_.hashed(change.key);
      work_for(hashed).changes.emplace_back(hashed, change.xid);
    }
  }
  if (reason) {
    const Snapshot& base = from_base ? *poll.base : poll.stamp.snapshot;
    *debris = Debris(shards_.size());
    flush({.poll = poll, .base = base, .reason = *reason}, work, *debris);
  } else {
    follow(poll, work);
  }
  counters_.polls.add();
  counters_.changes.add(poll.changes.size());
  last_ = poll.stamp;
  last_sent_at_ = poll.sent_at;
  trim_logs();
  const BootTime received_at = poll.received_at.value_or(poll.sent_at);
  const BootTime old_end = lease_until_.load(std::memory_order_relaxed);
  if (old_end != BootTime::min() && received_at >= old_end) note_lapse();
  if (poll.gives_lease)
    renew_lease(received_at);
  else
    revoke_lease();
  return reason ? Leftovers{std::move(debris)} : Leftovers{};
}

std::optional<std::string_view> Coherence::reason_to_flush(const Poll& poll) const {
  if (!last_) return "start";
  if (poll.flush_reason) return poll.flush_reason;
  if (poll.stamp.tau != last_->tau) return "namespace";
  if (poll.stamp.snapshot.xmax < last_->snapshot.xmax) return "went_back";
  if (poll.changes.size() > settings_.max_poll_changes) return "too_many_changes";
  const auto everything = [](const Change& change) { return change.key.empty(); };
  if (std::ranges::any_of(poll.changes, everything)) return "flush_row";
  return std::nullopt;
}

// A row that stands for every key cannot be logged: only a base that sees it covers it.
bool Coherence::starts_from_base(const Poll& poll) const {
  return poll.base && poll.changes.size() <= settings_.max_log_entries &&
         std::ranges::none_of(poll.changes,
                              [](const Change& change) { return change.key.empty(); });
}

void Coherence::flush(const Flush& how, std::vector<ShardWork>& work, Debris& debris) {
  const Poll& poll = how.poll;
  const bool same_numbering =
      last_ && poll.stamp.tau == last_->tau && poll.stamp.snapshot.xmax >= last_->snapshot.xmax;
  const auto applied = std::make_shared<const Snapshot>(poll.stamp.snapshot);
  logged_by_poll_ = 0;
  for (std::size_t i = 0; i < shards_.size(); ++i) {
    const std::scoped_lock lock{shards_[i]->mutex};
    shards_[i]->flush({.tau = poll.stamp.tau, .base = how.base, .same_numbering = same_numbering},
                      debris[i]);
    for (const auto& [key, xid] : work[i].changes) shards_[i]->record(key, xid);
    shards_[i]->finish_poll(applied, std::move(work[i].holds));
    logged_by_poll_ += shards_[i]->log().size();
  }
  checkpoints_.clear();
  logged_since_checkpoint_ = 0;
  const auto counter = flushes_.find(how.reason);
  if (counter != flushes_.end())
    ++counter->second;
  else
    flushes_.emplace(how.reason, 1);
}

void Coherence::follow(const Poll& poll, std::vector<ShardWork>& work) {
  const auto applied = std::make_shared<const Snapshot>(poll.stamp.snapshot);
  const std::size_t before = std::exchange(logged_by_poll_, 0);
  for (std::size_t i = 0; i < shards_.size(); ++i) {
    const std::scoped_lock lock{shards_[i]->mutex};
    for (const auto& [key, xid] : work[i].changes) shards_[i]->record(key, xid);
    shards_[i]->finish_poll(applied, std::move(work[i].holds));
    logged_by_poll_ += shards_[i]->log().size();
  }
  logged_since_checkpoint_ += logged_by_poll_ > before ? logged_by_poll_ - before : 0;
  if (logged_since_checkpoint_ > settings_.max_log_entries / kCheckpoints) {
    checkpoints_.push_back(poll.stamp.snapshot);
    if (checkpoints_.size() > kCheckpoints) checkpoints_.pop_front();
    logged_since_checkpoint_ = 0;
  }
}

// B moves forward in steps, to the oldest checkpoint that suffices, so that values that were read a
// while ago stay admissible as long as the bound of the log allows.
void Coherence::trim_logs() {
  while (logged_by_poll_ > settings_.max_log_entries && !checkpoints_.empty()) {
    logged_by_poll_ = move_bases(checkpoints_.front());
    checkpoints_.pop_front();
  }
  if (logged_by_poll_ > settings_.max_log_entries) logged_by_poll_ = move_bases(last_->snapshot);
  logged_.store(logged_by_poll_, std::memory_order_relaxed);
}

std::size_t Coherence::move_bases(const Snapshot& snapshot) {
  std::size_t left = 0;
  for (auto& shard : shards_) {
    const std::scoped_lock lock{shard->mutex};
    shard->log().move_base(snapshot);
    left += shard->log().size();
  }
  return left;
}

void Coherence::acknowledge_refresh(BootTime sent_at) {
  const std::scoped_lock lock{poll_mutex_};
  last_refresh_ = sent_at;
  renew_lease(sent_at);
}

void Coherence::end_lease() {
  const std::scoped_lock lock{poll_mutex_};
  revoke_lease();
}

void Coherence::revoke_lease() {
  last_refresh_ = std::nullopt;
  lease_until_.store(BootTime::min(), std::memory_order_release);
  note_lapse();
}

void Coherence::renew_lease(BootTime now_at_least) {
  if (!last_sent_at_) return;
  BootTime until = *last_sent_at_ + settings_.staleness_bound;
  if (settings_.registry_bound)
    until = last_refresh_ ? std::min(until, *last_refresh_ + *settings_.registry_bound)
                          : BootTime::min();
  lease_until_.store(until, std::memory_order_release);
  // A poll that was answered too late does not renew the lease.
  if (until > now_at_least) lapse_noted_.store(false, std::memory_order_relaxed);
}

void Coherence::note_read_without_lease() {
  counters_.reads_without_lease.add();
  note_lapse();
}

void Coherence::note_lapse() {
  if (!lapse_noted_.exchange(true, std::memory_order_relaxed)) counters_.lapsed_leases.add();
}

CoherenceStats Coherence::stats(BootTime now) const {
  CoherenceStats stats;
  for (const auto& shard : shards_) {
    const std::scoped_lock lock{shard->mutex};
    shard->add_to(stats);
  }
  add_counters<CoherenceNumbers>(counters_, stats);
  stats.lease_valid = now < lease_until_.load(std::memory_order_acquire) ? 1 : 0;
  const std::scoped_lock lock{poll_mutex_};
  stats.flushes = {flushes_.begin(), flushes_.end()};
  if (last_sent_at_) stats.since_last_poll = now - *last_sent_at_;
  return stats;
}

}  // namespace um
