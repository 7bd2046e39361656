#include "cache/l2.hpp"

namespace um {

Task<std::optional<L1Value>> L2::fetch(EntryKind kind, std::string key, Deadline deadline) {
  std::optional<Fact> fact = co_await store_->get(key, deadline);
  if (!fact) {
    counters_.misses.add();
    // Another instance may be asking the primary for the same key.
    fact = co_await store_->wait_for_other(key, deadline);
  }
  if (!fact) co_return std::nullopt;
  std::optional<L1Value> value = offer(kind, key, std::move(*fact));
  co_return value;
}

std::optional<L1Value> L2::offer(EntryKind kind, const std::string& key, Fact fact) {
  if (kind_of(fact.value) != kind && kind_of(fact.value) != EntryKind::absent) {
    counters_.misses.add();
    return std::nullopt;
  }
  if (coherence_.admit(key, fact.read_in, fact.value) != Admission::admitted) {
    counters_.refused.add();
    return std::nullopt;
  }
  counters_.hits[static_cast<std::size_t>(kind)].add();
  return std::move(fact.value);
}

void L2::put(std::string key, Fact fact) {
  // No instance would ever admit a fact without a namespace.
  if (fact.read_in.tau == Tau{}) return;
  counters_.put.add();
  store_->put(std::move(key), std::move(fact));
}

Task<void> L2::forget(std::string key, Deadline deadline) {
  co_await store_->forget(std::move(key), deadline);
}

}  // namespace um
