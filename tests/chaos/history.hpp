// A history of reads and writes of one register, and whether it is as promised: linearizable, or
// bounded, where other instances than the one that wrote may be late by so much.
//
// Deciding that is hard in general (Gibbons and Korach, "Testing Shared Memories", 1997) and linear
// where the order of the writes is known: here every write has a version, and versions grow. What
// is left to check is that each operation fits between its begin and its end:
//
//   1. a read returns at least the newest version that was acknowledged to a writer, or returned to
//      another reader, before it began; in bounded mode: more than `staleness` before it began;
//   2. a read returns at least the newest version that the instance it asks had acknowledged;
//   3. a read returns only what some write made that began before the read ended;
//   4. a write makes a newer version than everything that was known before it began.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.hpp"

namespace um::e2e {

struct Operation {
  enum class Kind { read, write };
  Kind kind = Kind::read;
  BootTime begin{};
  BootTime end{};            // kNever: the writer was not told whether it happened
  std::int64_t version = 0;  // that was read or made
  std::size_t instance = 0;  // that was asked
};
inline constexpr BootTime kNever = BootTime::max();

struct Promise {
  std::int64_t initial = 0;  // versions up to this were there before the history began
  std::chrono::nanoseconds staleness{0};
};

// Sentences about what is wrong; empty if the promise was kept.
std::vector<std::string> violations(std::vector<Operation> history, const Promise& promise);

}  // namespace um::e2e
