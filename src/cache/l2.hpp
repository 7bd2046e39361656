// L2: the only way from an L2Store into L1. A fact is offered to Coherence::admit() like
// every other value, and it is an answer only if it was admitted.
//
// REQUIRES: the caller found its lease valid before (read_through.hpp, step 2).
//
// Thread safety: any thread.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cache/coherence.hpp"
#include "cache/l2_store.hpp"

namespace um {

using Facts = std::vector<std::pair<std::string, L1Value>>;

class L2 {
 public:
  // `store` may be null: there is no L2. Both outlive this object.
  L2(Coherence& coherence, L2Store* store) : coherence_{coherence}, store_{store} {}

  bool there() const { return store_ != nullptr; }
  // The following functions REQUIRE there().
  //
  // The value under the key, which is of the requested kind or Absent, and is in L1 now. nullopt:
  // not stored, or not admissible. May ask the store several times; `deadline` covers all of them.
  //
  // Only a key without a fact waits for another instance's load. A refused fact means that the key
  // was changed, is held, or was read in an older base or namespace. Readers of such a key would
  // wait after every change, and another instance's load may have begun before that change.
  Task<std::optional<L1Value>> fetch(EntryKind kind, std::string key, Deadline deadline);
  void put(std::string key, Fact fact);
  // Returns soon, even if the store cannot be reached.
  Task<void> forget(std::string key, Deadline deadline);

  L2Stats stats() const { return read_counters(counters_); }

 private:
  // The fact's value if it is of the requested kind or Absent, and was admitted.
  std::optional<L1Value> offer(EntryKind kind, const std::string& key, Fact fact);

  Coherence& coherence_;
  L2Store* const store_;
  L2Numbers<Counter> counters_;  // each is counted next to a round trip
};

}  // namespace um
