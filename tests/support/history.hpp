// History: reads and writes of some keys as seen from outside, and whether they keep their promise:
// linearizable, or bounded, where other instances than the writing one may be late by `staleness`.
//
// Every write gives its key a new version, and the versions of a key are in the order of the
// writes, because the database assigns them under the row's lock. With the order of the writes
// known the check is linear (after sorting), although checking linearizability is hard in general
// (Gibbons and Korach, "Testing Shared Memories", 1997). It remains to check that each operation
// fits between its begin and its end:
//
//   1. A read returns at least the newest version that was known before it began.
//   2. A read returns only a version of a write that began before the read ended.
//   3. A write makes a newer version than every version that was known to anybody before it began.
//
// A version becomes known
//   - strict: to all instances, when its write was acknowledged or a read that returned it ended;
//   - bounded: to all instances, `staleness` after it became visible. If that moment was not
//   observed:
//     after its write was acknowledged, or after a read that returned it ended;
//   - bounded_but_own_at_once: also to the writing instance, when the write was acknowledged.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"

namespace um::test {

inline constexpr BootTime kNever = BootTime::max();

enum class Promise : std::uint8_t { strict, bounded_but_own_at_once, bounded };

struct Operation {
  enum class Kind : std::uint8_t { read, write };
  Kind kind = Kind::read;
  std::string key{};
  BootTime begin{};
  BootTime end{};            // kNever: the writer did not learn the outcome; it may have happened
  std::int64_t version = 0;  // that was read or made
  std::size_t instance = 0;  // that was asked

  // Of writes:
  Promise promise = Promise::strict;
  std::optional<BootTime> visible{};  // when it was committed; nullopt: not observed
};

class History {
 public:
  struct Register {
    std::int64_t initial = 0;  // versions up to this existed before the history began
    std::chrono::nanoseconds staleness{0};
  };
  explicit History(Register about, std::vector<Operation> operations = {})
      : about_{about}, operations_{std::move(operations)} {}

  // The result is for acknowledge().
  std::size_t add(Operation operation) {
    operations_.push_back(std::move(operation));
    return operations_.size() - 1;
  }
  void acknowledge(std::size_t write, BootTime at) { operations_.at(write).end = at; }

  // One sentence for each broken rule; empty: the promise was kept.
  std::vector<std::string> violations() const;

 private:
  Register about_;
  std::vector<Operation> operations_;
};

}  // namespace um::test
