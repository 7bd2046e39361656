// A history of reads and writes of one register, and whether it is linearizable.
//
// Deciding that is hard in general (Gibbons and Korach, "Testing Shared Memories", 1997) and linear
// where the order of the writes is known: here every write answers with the version that it made,
// and versions grow. What is left to check is that each operation fits between its begin and its
// end:
//
//   1. a read returns at least the newest version that was acknowledged to a writer, or returned to
//      another reader, before it began;
//   2. a read returns only what some write made that began before the read ended;
//   3. a write makes a newer version than everything that was known before it began.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace um::e2e {

struct Operation {
  enum class Kind { read, write };
  Kind kind = Kind::read;
  std::chrono::steady_clock::time_point begin{};
  std::chrono::steady_clock::time_point end{};
  std::int64_t version = 0;  // that was read or made
};

// Versions up to `initial` were there before the history began.
// Sentences about what is wrong; empty if the history is linearizable.
std::vector<std::string> violations(std::vector<Operation> history, std::int64_t initial);

}  // namespace um::e2e
