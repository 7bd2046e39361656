// SecondLevel: the one way from an L2Store into memory. A fact is offered to Coherence::admit()
// like every other value, and is an answer only if it was admitted.
//
// REQUIRES, of whoever asks: its lease was valid before (read_through.hpp, step 2).
//
// Thread safety: any thread.
#pragma once

#include <atomic>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cache/coherence.hpp"
#include "cache/l2_store.hpp"

namespace um {

using Facts = std::vector<std::pair<std::string, L1Value>>;

class SecondLevel {
 public:
  // `store` may be null: there is no second level. All outlive this.
  SecondLevel(Coherence& coherence, L2Store* store) : coherence_{coherence}, store_{store} {}

  bool there() const { return store_ != nullptr; }
  // REQUIRES, of all of these: there().
  //
  // The value under the key, of the kind that is asked for or Absent; memory has taken it. nullopt:
  // not known there, or not fresh enough. The store is asked up to a few times; `deadline` is for
  // all of it.
  Task<std::optional<L1Value>> fetch(EntryKind kind, std::string key, Deadline deadline);
  void put(std::string key, Fact fact);
  // Returns soon, whether or not the store could be told.
  Task<void> forget(std::string key, Deadline deadline);

  SecondLevelStats stats() const;

 private:
  struct Offer {
    std::optional<L1Value> value{};
    // Whether a newer fact would fare better.
    bool worth_waiting = true;
  };
  Offer offer(EntryKind kind, const std::string& key, const std::optional<Fact>& fact);

  Coherence& coherence_;
  L2Store* const store_;
  // Each of these is counted next to a round trip.
  std::array<std::atomic<std::uint64_t>, kEntryKinds> hits_{};
  std::atomic<std::uint64_t> misses_{0};
  std::atomic<std::uint64_t> refused_{0};
  std::atomic<std::uint64_t> put_{0};
};

}  // namespace um
