// Reading: the value stored under a key, and where the answer came from.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>

#include "base/deadline.hpp"
#include "storage/snapshot.hpp"

namespace um {

enum class Source : std::uint8_t {
  l1,
  l2,
  primary,
  stale,  // from memory, although the database could not be asked
};

// A null `value` means that nothing is stored under the key: a fact like any other.
// A store without a cache sets `source` to primary and `stamp` to the snapshot of the one statement
// that read the value. A reading from memory has an empty stamp.
template <class T>
struct Reading {
  std::shared_ptr<const T> value{};
  Source source = Source::primary;
  std::optional<std::chrono::seconds> age{};  // set if source is stale
  // Of a reading from the primary: memory had a value, but was not sure that it was fresh.
  bool memory_was_stale = false;
  Stamp stamp{};
};

struct ReadOptions {
  // Ask the primary even if memory could answer (Cache-Control: no-cache).
  bool from_primary = false;
  // How old an answer may be while the database is away (Cache-Control: max-stale). Never set for
  // sessions, roles and is_active.
  std::chrono::seconds max_stale{0};
  Deadline deadline{};
};

}  // namespace um
