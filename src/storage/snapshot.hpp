// Snapshot and Tau: in which state of which database a value was read.
//
// The terms are PostgreSQL's (pg_current_snapshot()): a transaction id is visible in a snapshot if
// it is below xmax and not in xip. SQLite numbers its commits and has an empty xip. See
// docs/consistency.md.
#pragma once

#include <algorithm>
#include <compare>
#include <cstdint>
#include <vector>

namespace um {

using Xid = std::uint64_t;

struct Snapshot {
  Xid xmax = 0;            // the first id that was not assigned yet
  std::vector<Xid> xip{};  // ids below xmax of transactions that were still running; ascending

  bool sees(Xid xid) const {
    return xid < xmax && !std::binary_search(xip.begin(), xip.end(), xid);
  }
  bool operator==(const Snapshot&) const = default;
};

// Everything that is visible in b is visible in a.
inline bool covers(const Snapshot& a, const Snapshot& b) {
  return a.xmax >= b.xmax && std::ranges::all_of(a.xip, [&](Xid x) {
           return x >= b.xmax || std::binary_search(b.xip.begin(), b.xip.end(), x);
         });
}

// The namespace τ: 128 bits that differ whenever transaction ids may stand for other transactions
// (another database, a restored copy, a crash, an epoch). Snapshots compare only within one τ.
struct Tau {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  auto operator<=>(const Tau&) const = default;
};

struct Stamp {
  Tau tau;
  Snapshot snapshot;
};

}  // namespace um
