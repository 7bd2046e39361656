// How PostgreSQL writes snapshots and what names a namespace, as this program's Snapshot and Tau.
// Pure functions; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "storage/snapshot.hpp"

namespace um {

// The text of a pg_snapshot: "xmin:xmax:xip,xip,…" (PostgreSQL manual, 9.27.10 "Transaction ID and
// Snapshot Information Functions"). xip may come in any order. nullopt for anything else.
std::optional<Snapshot> parse_pg_snapshot(std::string_view text);
// The reverse; xmin is the lowest of xip, or xmax.
std::string pg_snapshot_text(const Snapshot& snapshot);

// 128 bits that stand for the namespace's text (SHA-256, cut off). An empty text is no namespace:
// Tau{}, under which nothing is ever admitted.
Tau tau_of(std::string_view namespace_text);

}  // namespace um
