// Pipeline: the messages of one connection and the unit that each reply belongs to, without the
// connection. A unit is a list of commands that end with one Sync: they succeed or fail together,
// and apart from every other unit on the connection.
//
// Its owner pushes units, sends the messages of next_to_send() until there is none, and hands over
// the replies in the order in which they arrive (PostgreSQL documentation, 34.5 and 55.2.3: after
// an error the server skips everything up to the next Sync). Each unit is sent as
//
//     [prepare] execute [Flush] … [prepare] execute Sync
//
// with a prepare before the first execution of a query on this connection. A later unit relies on
// it before its reply is there; if it fails, that unit fails with SQLSTATE 26000. After 26000, and
// after 0A000 (a changed table no longer fits the prepared plan), the query is prepared anew, under
// another name, by the next unit that uses it: stale() tells that sending the unit again may help.
//
// Invariants: replies are expected in the order of sending; a unit is finished by the reply to its
// Sync and by nothing else; in_flight() counts pushed units that are not finished.
//
// Thread safety: none; one loop.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/clock.hpp"
#include "drivers/pg/failure.hpp"
#include "drivers/pg/query.hpp"
#include "drivers/pg/rows.hpp"

namespace um::pg {

struct Command {
  enum class How {
    prepared,  // prepared on its first use on a connection
    once,      // parsed each time it is sent
  };
  const Query* query;
  Params params{};
  How how = How::prepared;
};

struct Unit {
  explicit Unit(std::vector<Command> to_send) : commands{std::move(to_send)} {}
  Unit(const Unit&) = delete;
  Unit& operator=(const Unit&) = delete;
  virtual ~Unit() = default;

  std::vector<Command> commands;
  // One answer for each command, or fewer and the failure of the next command.
  std::vector<Rows> answers{};
  std::optional<Failure> failure{};
  BootTime sent_at{};
};

class Pipeline {
 public:
  struct Send {
    enum class What { prepare, execute, execute_once, sync };
    What what;
    const Command* command = nullptr;  // not for sync
    std::string name{};                // of the prepared statement
  };
  struct Reply {
    enum class What { done, error, aborted, synced };
    What what;
    Rows rows{};                  // for done
    Failure failure{};            // for error
    bool not_replicated = false;  // for synced: the unit was committed, on this server only
  };
  struct Effect {
    bool expected = true;             // false: a reply to nothing that was sent
    const Query* answered = nullptr;  // this query was executed (or failed)
    std::chrono::nanoseconds took{};
    bool failed = false;
    std::shared_ptr<Unit> finished{};
  };

  void push(std::shared_ptr<Unit> unit, BootTime now);
  std::optional<Send> next_to_send();
  Effect receive(Reply reply, BootTime now);

  // The connection is gone: the units that were in flight, oldest first. Nothing is prepared then.
  std::vector<std::shared_ptr<Unit>> drop();

  // Pushed and not finished, oldest first.
  std::vector<std::shared_ptr<Unit>> unanswered() const { return {units_.begin(), units_.end()}; }
  std::size_t in_flight() const { return units_.size(); }
  bool expects_reply() const { return !sent_.empty(); }
  // Whether something is in flight and no reply came for longer than `bound`.
  bool stalled(BootTime now, std::chrono::nanoseconds bound) const;

 private:
  struct Step {
    Send::What what;
    std::size_t command;
    std::uint64_t prepared;  // which preparation it makes or relies on
  };
  // A query that is prepared, or will be when what was sent before arrives there.
  using Prepared = std::unordered_map<const Query*, std::uint64_t>;

  Unit& unit_of_reply() { return *units_.front(); }
  void push_command(const Command& command, std::size_t number);
  void forget(const Query* query, std::uint64_t prepared);
  void answer(Step step, Reply& reply, BootTime now, Effect& effect);
  static std::string name_of(std::uint64_t prepared);

  std::deque<std::shared_ptr<Unit>> units_;  // pushed, not finished
  std::deque<Step> to_send_;                 // of the newest units
  std::deque<Step> sent_;                    // their replies are outstanding; a Flush has none
  std::size_t sending_ = 0;                  // index in units_ of the unit that to_send_ begins in
  Prepared prepared_;
  std::uint64_t preparations_ = 0;
  BootTime last_reply_{};
};

// Whether the unit failed only because a prepared statement was no longer valid.
bool stale(const Failure& failure);

}  // namespace um::pg
