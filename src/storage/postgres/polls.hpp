// PostgresPolls: from what the poll statement returned to what the cache is told; the feed of
// docs/consistency.md, section 3, as a state machine without a connection.
//
// Each question asks for the changes that became visible since a snapshot: the last one that was
// applied, or, at a start, the oldest mark that is kept, so that facts older than this process can
// be judged. "Became visible since S" means xid >= xmax(S) or xid in xip(S). Asking by the oldest
// running transaction instead (pg_snapshot_xmin) is wrong here: one forgotten transaction anywhere
// in the cluster would stop the feed while its polls go on succeeding.
//
// Changes that the purges' horizon sees may be gone. They are known only to who asked for what
// became visible since a snapshot that covers the horizon.
//
// Thread safety: none; it belongs to the feed's thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "storage/change_feed.hpp"

namespace um {

class PostgresPolls {
 public:
  struct Limits {
    // More changes than this in one poll are not worth following. A start may bring twice as many.
    std::size_t changes = 10'000;
  };
  struct Question {
    std::optional<Snapshot> since{};  // nullopt: since the oldest mark, or now if there is none
    std::size_t limit;                // of the changes returned
  };
  struct Answer {
    BootTime sent_at;        // before the question was sent
    std::string name_space;  // as text; empty: the incarnation is missing
    Snapshot now;
    Snapshot since;                     // what the changes were asked for
    std::optional<Snapshot> horizon{};  // changes that it sees may have been purged
    std::vector<Change> changes{};
    std::vector<std::string> holds{};
  };

  explicit PostgresPolls(Limits limits) : limits_{limits} {}

  Question next() const;
  // REQUIRES: the answer is to next(), and its namespace is not empty.
  Poll take(Answer answer);
  // The connection is gone: what happens until the next answer may have been missed.
  void connection_lost() { restart_reason_ = "reconnected"; }
  // This instance was away for so long that others stopped reckoning with it.
  void expelled() { restart_reason_ = "expelled"; }
  // Would this answer make the cache start from nothing?
  bool starts_over(const Answer& answer) const;
  // Is it of another namespace than the answer before, or the first?
  bool is_elsewhere(const Answer& answer) const { return answer.name_space != name_space_; }

 private:
  std::optional<std::string_view> reason_to_start_over(const Answer& answer) const;

  Limits limits_;
  std::optional<std::string_view> restart_reason_{"start"};
  std::string name_space_;
  Snapshot last_;
};

}  // namespace um
