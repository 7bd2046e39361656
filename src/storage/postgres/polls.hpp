// PostgresPolls: turns the result of the poll statement into a Poll for the cache. This is the feed
// of docs/consistency.md, section 3, as a state machine without a connection. SettledWrites: the
// writes of this process that a flush must not lose.
//
// Each question asks for the changes that became visible since a snapshot. That is the snapshot of
// the last applied poll or, at a start, the oldest stored mark, so that facts older than this
// process can be judged. "Became visible since S" means xid >= xmax(S) or xid in xip(S). Asking by
// the oldest running transaction instead (pg_snapshot_xmin) is wrong here: one forgotten
// transaction anywhere in the cluster would stop the feed while its polls go on succeeding.
//
// Changes that the horizon of the purges sees may have been deleted. So an answer is complete only
// if the snapshot in its question covers the horizon.
//
// Holds are asked for in the same way: those that are new, and those of the known ones that are
// still there. So a poll never reads all of the table, which a transaction that stays open fills
// with dead rows. A question that starts over asks for all holds, because a mark may be younger
// than a hold that is still open.
//
// Thread safety: none; the feed's thread or the feed's lock guards them.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "storage/change_feed.hpp"

namespace um {

class PostgresPolls {
 public:
  struct Limits {
    // A poll with more changes than this flushes. A start may have twice as many.
    std::size_t changes = 10'000;
  };
  struct Question {
    std::optional<Snapshot> since{};  // nullopt: since the oldest mark, or now if there is none
    std::size_t limit;                // of the changes returned
    std::vector<std::string> known_holds{};  // their ids; of no use without `since`
  };
  struct Hold {
    std::string id;
    std::string key;
    auto operator<=>(const Hold&) const = default;
  };
  struct Answer {
    BootTime sent_at;        // before the question was sent
    std::string name_space;  // as text; empty: the incarnation is missing
    Snapshot now;
    Snapshot since;                     // the changes became visible since this snapshot
    std::optional<Snapshot> horizon{};  // changes that it sees may have been purged
    std::vector<Change> changes{};
    std::vector<Hold> holds{};  // all that are there now, each once or several times
  };

  explicit PostgresPolls(Limits limits) : limits_{limits} {}

  Question next() const;
  // REQUIRES: the answer is to next(), and its namespace is not empty.
  Poll take(Answer answer);
  // The connection was lost: changes until the next answer may have been missed.
  void connection_lost() { restart_reason_ = "reconnected"; }
  // Another instance deleted this one from the registry.
  void expelled() { restart_reason_ = "expelled"; }
  // Whether this answer makes the cache flush everything.
  bool starts_over(const Answer& answer) const;
  // Whether the answer is the first, or of another namespace than the one before.
  bool is_elsewhere(const Answer& answer) const { return answer.name_space != name_space_; }

  // The namespace and the snapshot of the last answer that was taken.
  const std::string& name_space() const { return name_space_; }
  const Snapshot& last() const { return last_; }
  // The holds of the last answer.
  const std::set<Hold>& holds() const { return holds_; }
  // The ids of the holds that were in every answer since one that was sent by `then`.
  std::vector<std::string> holds_known_since(BootTime then) const;

 private:
  std::optional<std::string_view> reason_to_start_over(const Answer& answer) const;
  std::vector<std::string> take_holds(const Answer& answer);

  Limits limits_;
  std::optional<std::string_view> restart_reason_{"start"};
  std::string name_space_;
  Snapshot last_;
  std::set<Hold> holds_;
  std::map<std::string, BootTime>
      holds_since_;  // by id: the first answer that had it was sent then
};

// The keys of this process' own writes since the last poll was sent. A poll that flushes throws the
// cache's log away; these keys are held until a later poll has brought their changes
// (change_feed.hpp). Bounded: beyond max_keys everything is dropped, and complete_since() says so.
class SettledWrites {
 public:
  explicit SettledWrites(std::size_t max_keys = 100'000) : max_keys_{max_keys} {}

  // REQUIRES: not before any earlier one.
  void add(BootTime settled_at, std::span<const std::string> keys);
  // A poll was sent at `sent_at`: the snapshot of its answer sees the transactions settled before.
  void forget_until(BootTime sent_at);
  // Whether everything that was settled after that moment is still here.
  bool complete_since(BootTime sent_at) const { return forgotten_at_ <= sent_at; }
  std::vector<std::string> keys() const;

 private:
  struct Write {
    BootTime at;
    std::vector<std::string> keys;
  };
  const std::size_t max_keys_;
  std::deque<Write> writes_;  // oldest first
  std::size_t keys_ = 0;      // in writes_
  BootTime forgotten_at_ = BootTime::min();
};

}  // namespace um
