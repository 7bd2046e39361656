#include "cache/l2.hpp"

namespace um {

Task<std::optional<L1Value>> L2::fetch(EntryKind kind, std::string key, Deadline deadline) {
  std::optional<Fact> fact = co_await store_->get(key, deadline);
  Offer first = offer(kind, key, fact);
  if (first.value || !first.worth_waiting) co_return std::move(first.value);
  std::optional<Stamp> found;
  if (fact) found = fact->read_in;
  // Another instance may be asking the primary for the same key.
  fact = co_await store_->wait_for_other(key, std::move(found), deadline);
  if (!fact) co_return std::nullopt;
  Offer second = offer(kind, key, fact);
  co_return std::move(second.value);
}

auto L2::offer(EntryKind kind, const std::string& key, const std::optional<Fact>& fact) -> Offer {
  const bool fits =
      fact && (kind_of(fact->value) == kind || kind_of(fact->value) == EntryKind::absent);
  if (!fits) {
    counters_.misses.add();
    return {};
  }
  const Admission verdict = coherence_.admit(key, fact->read_in, fact->value);
  if (verdict != Admission::admitted) {
    counters_.refused.add();
    // Nothing is admitted for a key that is held; and in a new namespace every fact in the store is
    // obsolete.
    return {.worth_waiting = verdict != Admission::held && verdict != Admission::other_namespace};
  }
  counters_.hits[static_cast<std::size_t>(kind)].add();
  return {.value = fact->value};
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
