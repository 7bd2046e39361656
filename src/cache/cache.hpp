// Cache: what the cached stores of one process share.
//
// Wiring (see app/): make the storage, then a Cache, then a CachedUserStore and a
// CachedSessionStore around the storage's stores; start the storage's ChangeFeed with coherence()
// as its listener; stop the feed before the Cache goes. Until the feed's first poll every read goes
// to the primary.
//
// Thread safety: any thread.
#pragma once

#include <atomic>
#include <chrono>

#include "base/clock.hpp"
#include "cache/cache_stats.hpp"
#include "cache/coherence.hpp"
#include "async/gate.hpp"
#include "cache/second_level.hpp"

namespace um {

struct CacheSettings {
  CoherenceSettings coherence{};
  ReadGate::Limits primary_reads{};
  // Requests that wait for another request's query, for each kind of value.
  std::size_t max_waiting = 10'000;
  // For how long after the last successful poll answers are given although the database is away;
  // the operator's choice, so it holds for sessions, roles and is_active too. 0: not at all.
  std::chrono::seconds stale_if_error{0};
  // What the second level may add to a read altogether, however often it is asked.
  std::chrono::nanoseconds second_level_time = std::chrono::milliseconds{50};
};

class Cache {
 public:
  // `clock` and `l2`, if there is one, outlive the cache.
  Cache(CacheSettings settings, const Clock& clock, L2Store* l2 = nullptr)
      : clock_{clock},
        stale_if_error_{settings.stale_if_error},
        max_waiting_{settings.max_waiting},
        second_level_time_{settings.second_level_time},
        coherence_{settings.coherence},
        second_level_{coherence_, l2},
        gate_{settings.primary_reads, clock} {}
  Cache(const Cache&) = delete;
  Cache& operator=(const Cache&) = delete;

  Coherence& coherence() { return coherence_; }
  const Coherence& coherence() const { return coherence_; }
  SecondLevel& second_level() { return second_level_; }
  ReadGate& gate() { return gate_; }
  const Clock& clock() const { return clock_; }
  std::chrono::seconds stale_if_error() const { return stale_if_error_; }
  std::size_t max_waiting() const { return max_waiting_; }
  std::chrono::nanoseconds second_level_time() const { return second_level_time_; }

  void count_miss(EntryKind kind) {
    misses_[static_cast<std::size_t>(kind)].fetch_add(1, std::memory_order_relaxed);
  }
  void count_stale_answer() { stale_answers_.fetch_add(1, std::memory_order_relaxed); }

  // Everything but `flights`, which the stores have.
  CacheStats stats() const {
    CacheStats stats{.coherence = coherence_.stats(clock_.now()),
                     .second_level = second_level_.stats(),
                     .primary = gate_.stats()};
    for (std::size_t i = 0; i < kEntryKinds; ++i) stats.misses[i] = misses_[i].load();
    stats.stale_answers = stale_answers_.load();
    return stats;
  }

 private:
  const Clock& clock_;
  const std::chrono::seconds stale_if_error_;
  const std::size_t max_waiting_;
  const std::chrono::nanoseconds second_level_time_;
  Coherence coherence_;
  SecondLevel second_level_;
  ReadGate gate_;
  // Each of these is counted next to a query of the database, which costs a thousand times more.
  std::array<std::atomic<std::uint64_t>, kEntryKinds> misses_{};
  std::atomic<std::uint64_t> stale_answers_{0};
};

}  // namespace um
