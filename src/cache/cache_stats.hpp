// The counters of the cache as plain numbers. app/metrics.cpp and app/cache_report.cpp render them.
//
// Counters of the hot path are kept in each shard under the lock that a look-up takes anyway, and
// added up here when the numbers are read: no cache line is shared by all threads.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "async/gate.hpp"
#include "async/single_flight.hpp"
#include "cache/admission.hpp"
#include "cache/l1_value.hpp"

namespace um {

// By EntryKind.
using CountByKind = std::array<std::uint64_t, kEntryKinds>;

struct CoherenceStats {
  CountByKind hits{};                                // L1, valid lease, by what was found
  std::array<std::uint64_t, kAdmissions> offered{};  // values offered to L1, by Admission
  std::uint64_t evictions = 0;
  std::uint64_t evictions_absent = 0;
  std::size_t entries = 0;
  std::size_t entries_absent = 0;
  std::size_t bytes = 0;  // of both parts
  std::size_t capacity_bytes = 0;
  std::size_t log_entries = 0;

  std::uint64_t polls = 0;
  std::uint64_t changes = 0;                       // rows of all polls
  std::map<std::string, std::uint64_t> flushes{};  // by reason
  std::uint64_t holds = 0;                         // keys held by writes of this process, ever
  std::size_t held_now = 0;                        // by this process or in the database
  std::uint64_t lapsed_leases = 0;                 // times a valid lease was found to have ended
  std::uint64_t reads_without_lease = 0;
  bool lease_valid = false;
  std::optional<std::chrono::nanoseconds> since_last_poll{};
};

struct L2Stats {
  CountByKind hits{};         // admitted, by the kind that was asked for
  std::uint64_t misses = 0;   // not known, unreadable, too late
  std::uint64_t refused = 0;  // found, and not admissible: too old, held, another namespace
  std::uint64_t put = 0;
};

struct CacheStats {
  CoherenceStats coherence{};
  L2Stats l2{};
  FlightStats flights{};
  ReadGateStats primary{};
  // Reads that went to the primary, by kind of key (`absent` stays 0): there is one per look-up
  // that memory could not answer.
  CountByKind misses{};
  std::uint64_t stale_answers = 0;
};

}  // namespace um
