// Reading: the answer to "what is stored under this key?", and where the answer came from.
#pragma once

#include <chrono>
#include <memory>
#include <optional>

#include "base/deadline.hpp"
#include "storage/snapshot.hpp"

namespace um {

enum class Source {
  l1,
  l2,
  primary,
  stale
};  // stale: given although the database could not be asked

// `value` null means: there is no such thing, which is a fact like any other.
// From a store without a cache `source` is primary and `stamp` tells the snapshot of the one
// statement that read it; a Reading from memory has an empty stamp.
template <class T>
struct Reading {
  std::shared_ptr<const T> value{};
  Source source = Source::primary;
  std::optional<std::chrono::seconds> age{};  // set if source is stale
  Stamp stamp{};
};

struct ReadOptions {
  // Ask the primary even if memory could answer (Cache-Control: no-cache).
  bool from_primary = false;
  // How old an answer may be when the database is away (Cache-Control: max-stale). Never set for
  // sessions, roles and is_active.
  std::chrono::seconds max_stale{0};
  Deadline deadline{};
};

}  // namespace um
