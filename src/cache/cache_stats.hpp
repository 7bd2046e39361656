// The counters of the cache. app/metrics.cpp and app/cache_report.cpp render them.
//
// Counters of the hot path are plain numbers in each shard under the lock that a look-up takes
// anyway, and added up when they are read: no cache line is shared by all threads.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "async/gate.hpp"
#include "async/single_flight.hpp"
#include "base/counters.hpp"
#include "cache/admission.hpp"
#include "cache/l1_value.hpp"

namespace um {

inline constexpr MetricText kCacheHits{"cache_hits_total",
                                       "Answers from memory, by level and kind of entry"};

// Of L1, with the state of the protocol for each key.
template <class Number>
struct ShardNumbers {
  std::array<Number, kEntryKinds> hits{};  // with a valid lease, by what was found
  Number admitted{};
  std::array<Number, kAdmissions> refused{};  // by Admission
  Number evictions{};
  Number evictions_absent{};
  Number entries{};
  Number entries_absent{};
  Number bytes{};  // of both parts
  Number capacity_bytes{};
  Number holds{};     // keys held by writes of this process, ever
  Number held_now{};  // by this process or in the database
  Number log_entries{};

  static constexpr auto table() {
    using N = ShardNumbers;
    constexpr MetricText kEvictions{"cache_evictions_total", "Entries evicted for room"};
    constexpr MetricText kEntries{"cache_entries", "Entries in memory"};
    return std::tuple{
        counts_of(&N::hits, kCacheHits, "kind", kEntryKindNames, {"level", "l1"}),
        counts_of(&N::refused, {"cache_refusals_total", "Values not admitted to memory, by reason"},
                  "reason", kRefusalNames),
        count_of(&N::admitted, {"cache_admissions_total", "Values admitted to memory"}),
        count_of(&N::evictions, kEvictions, {"part", "present"}),
        count_of(&N::evictions_absent, kEvictions, {"part", "absent"}),
        level_of(&N::entries, kEntries, {"part", "present"}),
        level_of(&N::entries_absent, kEntries, {"part", "absent"}),
        level_of(&N::bytes, {"cache_bytes", "Bytes charged for the entries"}),
        level_of(&N::capacity_bytes, {"cache_capacity_bytes", "Bound of user_manager_cache_bytes"}),
        count_of(&N::holds, {"holds_total", "Keys held around commits"}),
        level_of(&N::held_now, {"held_keys", "Keys held now"}),
        level_of(&N::log_entries,
                 {"change_log_entries", "Changes kept to check the values of older reads"})};
  }
};

// Of the protocol as a whole.
template <class Number>
struct CoherenceNumbers {
  Number lease_valid{};    // 0 or 1
  Number lapsed_leases{};  // times a valid lease was found to have ended
  Number reads_without_lease{};
  Number polls{};
  Number changes{};  // rows of all polls

  static constexpr auto table() {
    using N = CoherenceNumbers;
    return std::tuple{
        level_of(&N::lease_valid,
                 {"lease_valid", "1 while the lease is valid and memory may answer"}),
        count_of(&N::lapsed_leases,
                 {"lease_lapses_total", "Times that a lease ended before its renewal"}),
        count_of(
            &N::reads_without_lease,
            {"reads_without_lease_total", "Reads sent to the database because no lease was valid"}),
        count_of(&N::polls, {"feed_polls_total", "Polls of the change feed"}),
        count_of(&N::changes, {"feed_changes_total", "Changes by others that polls brought"})};
  }
};

struct CoherenceStats : ShardNumbers<std::uint64_t>, CoherenceNumbers<std::uint64_t> {
  std::map<std::string, std::uint64_t> flushes{};  // by reason
  std::optional<std::chrono::nanoseconds> since_last_poll{};
};

template <class Number>
struct L2Numbers {
  std::array<Number, kEntryKinds> hits{};  // admitted, by the kind that was asked for
  Number misses{};                         // not known, unreadable, too late
  Number refused{};  // found, and not admissible: too old, held, another namespace
  Number put{};

  static constexpr auto table() {
    using N = L2Numbers;
    return std::tuple{
        counts_of(&N::hits, kCacheHits, "kind", kEntryKindNames, {"level", "l2"}),
        count_of(&N::misses),
        count_of(&N::refused, {"l2_facts_refused_total",
                               "Facts from Redis that were too old, held or of another namespace"}),
        count_of(&N::put)};
  }
};
using L2Stats = L2Numbers<std::uint64_t>;

template <class Number>
struct CacheNumbers {
  // Reads that went to the primary, by kind of key (`absent` stays 0): there is one per look-up
  // that memory could not answer.
  std::array<Number, kEntryKinds> misses{};
  Number stale_answers{};

  static constexpr auto table() {
    using N = CacheNumbers;
    return std::tuple{
        counts_of(&N::misses, {"cache_misses_total", "Look-ups that memory could not answer"},
                  "kind", kEntryKindNames),
        count_of(&N::stale_answers, {"cache_stale_answers_total",
                                     "Answers from memory while the database did not answer"})};
  }
};

struct CacheStats : CacheNumbers<std::uint64_t> {
  CoherenceStats coherence{};
  L2Stats l2{};
  FlightStats flights{};
  ReadGateStats primary{};
};

}  // namespace um
