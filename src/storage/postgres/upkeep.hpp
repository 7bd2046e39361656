// PostgresUpkeep: what an instance does for all of them from time to time, on ordinary connections:
// removes rows of dead instances, holds and acknowledgements that nobody needs any more, takes
// marks and purges the log of changes (docs/consistency.md, sections 2 and 7). The feed does none
// of it, because none of it may delay a poll.
//
// A failure ends one round; the next one begins where it ended.
//
// Thread safety: one coroutine at a time; stats() from any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/counters.hpp"
#include "storage/postgres/change_feed.hpp"
#include "storage/postgres/database.hpp"
#include "storage/postgres/reaper.hpp"

namespace um {

template <class Number>
struct UpkeepNumbers {
  Number instances{};
  Number without_protocol{};
  Number holds{};
  Number expelled{};
  Number dropped_holds{};

  static constexpr auto table() {
    using N = UpkeepNumbers;
    return std::tuple{
        level_of(&N::instances, {"instances", "Instances in the registry"}),
        level_of(&N::without_protocol,
                 {"instances_without_protocol",
                  "Instances of a version that acknowledges no holds: every write is slow"}),
        level_of(&N::holds, {"holds", "Holds of strict writes that the last poll showed"}),
        count_of(&N::expelled,
                 {"instances_expelled_total", "Rows of dead instances that this one removed"}),
        count_of(&N::dropped_holds,
                 {"holds_dropped_total", "Old holds of dead writers that this instance removed"})};
  }
};
using UpkeepStats = UpkeepNumbers<std::uint64_t>;

struct UpkeepOptions {
  std::chrono::nanoseconds look_every = std::chrono::seconds{2};
  std::chrono::nanoseconds mark_every = std::chrono::seconds{60};
  std::int64_t purge_batch = 1000;
  std::function<void(std::string_view)> log{};  // for people
};

class PostgresUpkeep {
 public:
  // Both outlive it.
  PostgresUpkeep(PostgresDatabase& database, const PostgresChangeFeed& feed, CacheTimes times,
                 UpkeepOptions own = {});

  // Does what is due. True: there is more to do at once.
  Task<Result<bool>> run(Deadline deadline);

  UpkeepStats stats() const;

 private:
  Task<Result<void>> look_at_instances(Deadline deadline);
  void tell_of_those_without_protocol(const std::vector<PostgresReaper::Instance>& all);
  Task<Result<void>> remove_old_holds(Deadline deadline);
  Task<Result<void>> forget_former_bound(Deadline deadline);
  Task<Result<bool>> purge(Deadline deadline);

  PostgresDatabase& db_;
  const PostgresChangeFeed& feed_;
  const CacheTimes times_;
  const UpkeepOptions own_;
  const Clock& clock_;
  PostgresReaper reaper_;
  std::set<std::string> without_protocol_;  // ids
  std::int64_t epoch_without_former_ = 0;   // former T is T, or smaller
  BootTime next_look_ = BootTime::min();
  BootTime next_mark_ = BootTime::min();
  bool purging_ = false;
  // What earlier batches of the purge have done: see public.purge_changes().
  std::optional<std::string> purged_up_to_;
  std::optional<std::string> purged_since_;
  UpkeepNumbers<Counter> counters_;
};

}  // namespace um
