#include "cache/second_level.hpp"

namespace um {

Task<std::optional<L1Value>> SecondLevel::fetch(EntryKind kind, std::string key,
                                                Deadline deadline) {
  std::optional<Fact> fact = co_await store_->get(key, deadline);
  const bool fits =
      fact && (kind_of(fact->value) == kind || kind_of(fact->value) == EntryKind::absent);
  if (!fits) {
    misses_.fetch_add(1, std::memory_order_relaxed);
    co_return std::nullopt;
  }
  if (coherence_.admit(key, fact->read_in, fact->value) != Admission::admitted) {
    refused_.fetch_add(1, std::memory_order_relaxed);
    co_return std::nullopt;
  }
  hits_[static_cast<std::size_t>(kind)].fetch_add(1, std::memory_order_relaxed);
  co_return std::move(fact->value);
}

void SecondLevel::put(std::string key, Fact fact) {
  // A fact without a namespace can never be admitted anywhere.
  if (fact.read_in.tau == Tau{}) return;
  put_.fetch_add(1, std::memory_order_relaxed);
  store_->put(std::move(key), std::move(fact));
}

SecondLevelStats SecondLevel::stats() const {
  SecondLevelStats stats{.misses = misses_.load(), .refused = refused_.load(), .put = put_.load()};
  for (std::size_t i = 0; i < kEntryKinds; ++i) stats.hits[i] = hits_[i].load();
  return stats;
}

}  // namespace um
