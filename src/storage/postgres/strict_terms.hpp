// StrictTerms: what a strict write has to know about its deployment, as one poll of the feed showed
// it (docs/consistency.md, section 6). All members come from one statement, so the times are those
// of the namespace.
//
// Thread safety: a value.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "storage/change_feed.hpp"

namespace um {

struct StrictTerms {
  std::string name_space{};  // as text: A and B run on connections that noted the same
  std::int64_t epoch = 0;
  Consistency mode = Consistency::strict;
  // The longest time for which an instance may go on answering from memory after a moment from
  // which on it hears nothing: max(T, former T) + ε.
  std::chrono::nanoseconds longest_lease{};
  // When this process received the first poll of the namespace. Leases of the namespace before may
  // live for `longest_lease` after it, and their instances are not in the registry any more.
  // nullopt: this process has no feed.
  std::optional<BootTime> first_seen{};
  // The own row in the registry; nullopt: there is none at the moment.
  std::optional<std::string> instance{};
  // Whether other instances were registered when the registry was last read.
  bool company = true;
  // The deployment runs with other times or another mode than this process.
  bool outdated = false;
};

}  // namespace um
