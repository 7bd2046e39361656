// What the configuration, the API and the databases have in common: times, and the promise about
// writes.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

namespace um {

// P of docs/consistency.md: how often a process asks its database for changes. staleness-bound is
// at least three times this.
inline constexpr std::chrono::milliseconds kPollInterval{75};

// The most that a look-up of one row may take, as a request and as a statement of PostgreSQL. A
// slow look-up delays those behind it on its connection, so it gets less time than a write.
inline constexpr std::chrono::milliseconds kLookUpTime{500};

// strict: reads and writes are linearizable. bounded: other instances follow within
// staleness-bound.
enum class Consistency : std::uint8_t { strict, bounded };
constexpr std::string_view to_string(Consistency consistency) {
  return consistency == Consistency::strict ? "strict" : "bounded";
}
// REQUIRES: the text of one of them, as the database stores it.
constexpr Consistency consistency_of(std::string_view text) {
  return text == to_string(Consistency::bounded) ? Consistency::bounded : Consistency::strict;
}
// How long, by the clock of another machine, an instance may answer from memory after it has heard
// from the database for the last time: T + ε of docs/consistency.md. ε is how much the elapsed time
// of two machines may differ over T (assumption A2).
constexpr std::chrono::nanoseconds longest_lease(std::chrono::nanoseconds staleness_bound) {
  return staleness_bound + staleness_bound / 500 + std::chrono::milliseconds{5};
}

// The largest staleness bound with strict writes: a write may have to wait that long.
inline constexpr std::chrono::milliseconds kLongestStrictBound{1000};

}  // namespace um
