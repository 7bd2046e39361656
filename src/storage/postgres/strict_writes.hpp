// PostgresStrictWrites: runs the steps of strict writes (strict_write.hpp) on the database, and
// keeps what outlives one write: the shared A of writers that come together, the room in which they
// wait, holds of abandoned writes, and writes whose outcome nobody knows yet.
//
// In mode bounded a write is its B alone, without a gate.
//
// Thread safety: any thread; PostgresStrictWrites::Write belongs to one coroutine.
#pragma once

#include <array>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "async/batcher.hpp"
#include "base/counters.hpp"
#include "base/query_stats.hpp"
#include "drivers/pg/client.hpp"
#include "storage/postgres/ack_room.hpp"
#include "storage/postgres/strict_write.hpp"
#include "storage/postgres/write_observer.hpp"

namespace um {

template <class Number>
struct StrictWriteNumbers {
  std::array<Number, StrictWrite::kWayNames.size()> committed{};  // by StrictWrite::Way
  Number not_yet{};                                               // gates that said so
  Number lost_races{};                                            // compare-and-sets
  Number lost_holds{};  // the reaper, or a crash, took them
  Number abandoned{};   // holds of writes that gave up
  Number unknown{};     // outcomes
  Number in_wait{};     // now

  static constexpr auto table() {
    using N = StrictWriteNumbers;
    return std::tuple{
        counts_of(&N::committed,
                  {"strict_writes_total", "Committed writes of cached keys, by their way"}, "way",
                  StrictWrite::kWayNames),
        count_of(&N::not_yet, {"strict_write_gates_not_yet_total",
                               "Writes that were sent back to wait for other instances"}),
        count_of(&N::lost_races, {"strict_write_lost_races_total",
                                  "Writes that planned again, because the row had changed"}),
        count_of(&N::lost_holds, {"strict_write_lost_holds_total",
                                  "Writes that began again, because their hold was gone"}),
        count_of(&N::abandoned, {"strict_write_abandoned_holds_total",
                                 "Holds of writes that gave up before they committed"}),
        count_of(&N::unknown, {"strict_write_unknown_outcomes_total",
                               "Writes that were answered with: outcome unknown"}),
        level_of(&N::in_wait,
                 {"strict_writes_waiting", "Writes that wait for other instances now"})};
  }
};
using StrictWriteStats = StrictWriteNumbers<std::uint64_t>;

class PostgresStrictWrites {
 public:
  struct Parts {
    pg::Client& client;
    PostgresWriteObserver& observer;
    const Clock& clock;
  };
  struct Options {
    std::string own_holds{};  // what the ids of holds begin with; see FeedSteps::Options
    std::chrono::nanoseconds ask_every = std::chrono::milliseconds{75};
    std::chrono::milliseconds outcome_patience{1000};
    std::function<void()> wake{};  // tells the other instances that there are holds
  };
  PostgresStrictWrites(Parts parts, Options options);

  class Write;
  using RowsOf = std::vector<pg::Rows>;

  // An instance has acknowledged holds.
  void seen() { room_.seen(); }
  // Removes the holds of abandoned writes, and settles writes whose outcome was not known.
  Task<void> tidy_up(Deadline deadline);
  // Whether tidy_up() has something to do.
  bool is_untidy() const;

  StrictWriteStats stats() const { return read_counters(counters_); }
  // Times in W.
  const QueryCounters& waits() const { return waits_; }
  // By name: waits in which this instance was the last to acknowledge, or had not at the end.
  std::map<std::string, std::uint64_t> slowest() const;

 private:
  struct Placement {
    std::string hold_id;
    std::vector<std::string> keys;
  };
  struct Placed {
    Xid xid;
    std::string name_space;
  };
  // A write that may still be running in the server.
  struct Unsettled {
    std::vector<std::string> keys;
    int server_process;
    std::string name_space;
  };
  using Placing = Batcher<Placement, Placed>;

  // Those of the feed; before its first poll, and in a process without one, those that the database
  // has now.
  Task<Result<StrictTerms>> terms(Deadline deadline);
  void forget_own_terms();
  // The clock of the feed that made the terms.
  BootTime now(const StrictTerms& terms) const;
  Task<Placing::Answers> place(const Placing::Items& items, Deadline deadline);
  Task<Result<AckBoard>> ask(Xid after, Deadline deadline);
  // Whether the server process has ended, or belongs to a server that has.
  Task<Result<bool>> has_ended(int server_process, std::string name_space, Deadline deadline);
  // `placed`: A has been answered. Otherwise it may be committed later, and is removed once more.
  void abandon(std::string hold_id, bool placed);
  void note_slowest(const std::vector<AckBoard::Instance>& slowest);

  const Parts parts_;
  const Options options_;
  StrictWriteNumbers<Counter> counters_;
  QueryCounters waits_;
  AckRoom room_;
  Placing placing_;
  mutable std::mutex mutex_;
  struct LateHold {
    BootTime when;
    std::string id;
  };
  std::vector<std::string> abandoned_;  // holds
  std::vector<LateHold> late_;          // to be abandoned then
  std::vector<Unsettled> unsettled_;
  std::map<std::string, std::uint64_t> slowest_;  // at most kNamedInstances
  std::optional<StrictTerms> own_terms_;          // as long as there are none of the feed
};

// One write, with all of its attempts. A hold that it leaves behind is removed by tidy_up().
class PostgresStrictWrites::Write {
 public:
  Write(PostgresStrictWrites& shared, Deadline deadline);
  Write(const Write&) = delete;
  Write& operator=(const Write&) = delete;
  ~Write();

  struct Attempt {
    enum class End {
      committed,
      committed_unheard,  // surely committed, but its rows were lost with the connection
      ended_unheard,      // surely ended, nobody knows how
      plan_again          // rolled back: the row had changed, or a key was not among `keys`
    } end;
    RowsOf rows{};  // of the statements
  };
  // A, W and B, as far as they are needed. `keys`: all that the statements touch. An error: nothing
  // was committed, except for unknown_outcome. REQUIRES: not called again after a commit.
  Task<Result<Attempt>> commit(std::set<std::string> keys, std::vector<pg::Statement> statements);

 private:
  class Announcement;
  Task<Result<void>> place(std::vector<std::string> keys, const StrictTerms& terms);
  Task<Result<void>> wait(BootTime until, const StrictTerms& terms);
  Task<Result<std::optional<Attempt>>> attempt(const std::set<std::string>& keys,
                                               const std::vector<pg::Statement>& statements,
                                               const StrictTerms& terms, StrictWrite::Way way);
  Task<Result<std::optional<Attempt>>> after_loss(Announcement& announcement, pg::BatchOutcome lost,
                                                  const StrictTerms& terms, StrictWrite::Way way);
  void committed(StrictWrite::Way way);

  PostgresStrictWrites& shared_;
  const Deadline deadline_;
  StrictWrite steps_;
  std::optional<AckRoom::Guest> guest_;
  bool elsewhere_ = false;              // the last attempt met another namespace
  std::set<std::string> refused_keys_;  // of the last attempt that touched others
  std::string remaining_hold_;          // rows of it may be in the table; empty: none
  bool placed_ = false;                 // the last A has been answered
};

}  // namespace um
