#include "cache/coherence_shard.hpp"

#include <utility>

namespace um {

std::optional<L1Value> CoherenceShard::look_up(HashedKey key) {
  if (held(key.bytes)) return std::nullopt;
  const L1Value* value = stored(key);
  if (value == nullptr) return std::nullopt;
  ++counted_.hits[value->index()];
  return *value;
}

Admission CoherenceShard::admit(HashedKey key, const Stamp& read_in, L1Value value) {
  const auto verdict = admissible({.key = key.bytes, .held = held(key.bytes)}, read_in, tau_, log_);
  if (verdict != Admission::admitted) {
    ++counted_.refused[static_cast<std::size_t>(verdict)];
    return verdict;
  }
  ++counted_.admitted;
  const bool absent = kind_of(value) == EntryKind::absent;
  (absent ? values_ : absent_).erase(key);
  (absent ? absent_ : values_).insert(key, std::move(value));
  return verdict;
}

// A change in the log erased the key's value when it was logged, and every value admitted since
// then sees the change. So the poll that reports a write of this process leaves the new value in
// L1.
void CoherenceShard::record(HashedKey key, Xid xid) {
  if (log_.add(key.bytes, xid)) forget(key);
}

void CoherenceShard::hold(HashedKey key) {
  auto found = local_holds_.find(key.bytes);
  if (found == local_holds_.end()) found = local_holds_.emplace(key.bytes, 0).first;
  ++found->second;
  ++counted_.holds;
  forget(key);
}

// The log is written before the hold ends, in the same critical section. So at every moment one of
// the two keeps out a fill from before the commit.
void CoherenceShard::settle(HashedKey key, std::optional<Xid> xid) {
  if (xid) record(key, *xid);
  const auto found = local_holds_.find(key.bytes);
  if (found != local_holds_.end() && --found->second == 0) local_holds_.erase(found);
}

void CoherenceShard::finish_poll(std::shared_ptr<const Snapshot> applied,
                                 std::vector<HashedKey> held) {
  applied_ = std::move(applied);
  database_holds_.clear();
  for (const HashedKey key : held) {
    database_holds_.emplace(key.bytes);
    forget(key);
  }
}

// Every change that S sees is in the log or visible in B, so B may become S.
void CoherenceShard::shorten_log(std::size_t at_most) {
  if (applied_) log_.move_base(*applied_);
  if (log_.size() > at_most) log_.fold_into_base();
}

// One critical section: if L1 were emptied first and B set later, a slow fill in between would be
// judged by the old B, which does not contain the changes that caused the flush.
//
// The log keeps the transactions that the new base does not see. A write of this process may have
// settled under an id that is too new for the poll's snapshot; without its log entry a fill from
// before that write would be admitted.
void CoherenceShard::flush(Flush flush, Debris& debris) {
  tau_ = flush.tau;
  if (flush.same_numbering) {
    log_.move_base(flush.base);
  } else {
    debris.log = std::exchange(log_, {});
    log_.start_over(flush.base);
  }
  L1Store values{values_.capacity_bytes()};
  L1Store absent{absent_.capacity_bytes()};
  values_.swap(values);
  absent_.swap(absent);
  debris.values.swap(values);
  debris.absent.swap(absent);
}

void CoherenceShard::add_to(ShardNumbers<std::uint64_t>& sum) const {
  ShardNumbers<std::uint64_t> now = counted_;
  now.evictions = values_.evictions();
  now.evictions_absent = absent_.evictions();
  now.entries = values_.entries();
  now.entries_absent = absent_.entries();
  now.bytes = values_.bytes() + absent_.bytes();
  now.capacity_bytes = values_.capacity_bytes() + absent_.capacity_bytes();
  now.log_entries = log_.size();
  now.held_now = local_holds_.size();
  for (const auto& key : database_holds_)
    if (!local_holds_.contains(key)) ++now.held_now;
  add_counters(now, sum);
}

}  // namespace um
