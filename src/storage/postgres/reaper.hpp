// PostgresReaper: which rows of dead instances may be deleted from the registry
// (docs/consistency.md, "The registry"). Pure: the upkeep runs the statements.
//
// Silence is measured with this process' own elapsed time, never with a wall clock. A row may go in
// two cases. Its counter stayed the same for X, from the receipt of the first list that showed it
// to the sending of the delete: X is longer than Y, after which the silent instance itself has
// stopped answering from memory. Or its session has ended for longer than the longest lease: an
// instance without a session polls no more.
//
// Thread safety: none.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "drivers/pg/rows.hpp"

namespace um {

class PostgresReaper {
 public:
  struct Times {
    std::chrono::nanoseconds silence = std::chrono::seconds{15};  // X
    std::chrono::nanoseconds longest_lease = std::chrono::milliseconds{506};
  };
  struct Instance {
    std::string id{};
    std::int64_t refreshes = 0;
    std::int64_t protocol = 1;
    std::string name{};
    bool session_has_ended = false;
    bool operator==(const Instance&) const = default;
  };

  // Rows of id, refreshes, protocol, name and session_has_ended.
  static std::vector<Instance> read(const pg::Rows& rows);

  explicit PostgresReaper(Times times) : times_{times} {}

  // `all`: the rows that a statement read whose answer arrived at `now`. Returns those that may be
  // deleted from now on, if their counter is still the same.
  std::vector<Instance> dead(const std::vector<Instance>& all, BootTime now);
  void set_longest_lease(std::chrono::nanoseconds lease) { times_.longest_lease = lease; }

 private:
  struct Seen {
    std::int64_t refreshes;
    BootTime since;
    std::optional<BootTime> ended_since{};
  };
  Times times_;
  std::map<std::string, Seen> seen_;
};

}  // namespace um
