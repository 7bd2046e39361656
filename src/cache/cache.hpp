// Cache: the parts that the cached stores of one process share.
//
// Wiring (see app/): make the storage, then a Cache, then a CachedUserStore and a
// CachedSessionStore around the storage's stores. Start the storage's ChangeFeed with coherence()
// as its listener, and stop the feed before the Cache is destroyed. Until the feed's first poll
// every read goes to the primary.
//
// Thread safety: any thread.
#pragma once

#include <chrono>

#include "async/gate.hpp"
#include "base/clock.hpp"
#include "cache/cache_stats.hpp"
#include "cache/coherence.hpp"
#include "cache/l2.hpp"

namespace um {

struct CacheSettings {
  CoherenceSettings coherence{};
  ReadGate::Limits primary_reads{};
  // Limit of requests that wait for another request's query, for each kind of value.
  std::size_t max_waiting = 10'000;
  // How long after the last successful poll L1 answers while the database is away. The operator's
  // choice, so it applies to sessions, roles and is_active as well. 0: not at all.
  std::chrono::seconds stale_if_error{0};
  // Time limit for all calls of L2 of one read together.
  std::chrono::nanoseconds l2_time = std::chrono::milliseconds{50};
};

class Cache {
 public:
  // `clock` and `l2_store`, if there is one, outlive the cache.
  Cache(CacheSettings settings, const Clock& clock, L2Store* l2_store = nullptr)
      : clock_{clock},
        stale_if_error_{settings.stale_if_error},
        max_waiting_{settings.max_waiting},
        l2_time_{settings.l2_time},
        coherence_{settings.coherence},
        l2_{coherence_, l2_store},
        gate_{settings.primary_reads, clock} {}
  Cache(const Cache&) = delete;
  Cache& operator=(const Cache&) = delete;

  Coherence& coherence() { return coherence_; }
  const Coherence& coherence() const { return coherence_; }
  L2& l2() { return l2_; }
  ReadGate& gate() { return gate_; }
  const Clock& clock() const { return clock_; }
  std::chrono::seconds stale_if_error() const { return stale_if_error_; }
  std::size_t max_waiting() const { return max_waiting_; }
  std::chrono::nanoseconds l2_time() const { return l2_time_; }

  void count_miss(EntryKind kind) { counters_.misses[static_cast<std::size_t>(kind)].add(); }
  void count_stale_answer() { counters_.stale_answers.add(); }

  // Everything except `flights`, which the stores count.
  CacheStats stats() const {
    CacheStats stats{read_counters(counters_)};
    stats.coherence = coherence_.stats(clock_.now());
    stats.l2 = l2_.stats();
    stats.primary = gate_.stats();
    return stats;
  }

 private:
  const Clock& clock_;
  const std::chrono::seconds stale_if_error_;
  const std::size_t max_waiting_;
  const std::chrono::nanoseconds l2_time_;
  Coherence coherence_;
  L2 l2_;
  ReadGate gate_;
  // Shared by all threads: each is counted next to a query, which costs a thousand times more.
  CacheNumbers<Counter> counters_;
};

}  // namespace um
