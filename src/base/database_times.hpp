// Times that the configuration, the API and the databases have in common.
#pragma once

#include <chrono>

namespace um {

// P of docs/consistency.md: how often a process asks its database for changes. staleness-bound is
// at least three times this.
inline constexpr std::chrono::milliseconds kPollInterval{75};

// The most that a look-up of one row may take, as a request and as a statement of PostgreSQL. A
// slow look-up delays those behind it on its connection, so it gets less time than a write.
inline constexpr std::chrono::milliseconds kLookUpTime{500};

// The largest staleness bound with strict writes: a write may have to wait that long.
inline constexpr std::chrono::milliseconds kLongestStrictBound{1000};

}  // namespace um
