// Pollers: the feed of each setup (sections 3 and 8), one step at a time.
#pragma once

#include "consistency/sim_world.hpp"

namespace um::sim {

// PostgreSQL: one statement that is feed, lease and guard. Sometimes the connection is lost.
class PostgresPoller final : public Actor {
 public:
  explicit PostgresPoller(Instance& instance) : instance_{instance} {}
  void step(World& world) override;

 private:
  enum class State { send, execute, apply };
  void execute(World& world);
  void compare_with_the_horizon(World& world);
  void apply(World& world);

  Instance& instance_;
  State state_ = State::send;
  std::optional<Snapshot> last_;
  Poll poll_{};
};

// SQLite: compares data_version on the writer's thread; a foreign commit changes the namespace.
class SqlitePoller final : public Actor {
 public:
  explicit SqlitePoller(Instance& instance) : instance_{instance} {}
  void step(World& world) override;

 private:
  enum class State { send, execute, apply };

  Instance& instance_;
  State state_ = State::send;
  std::uint64_t data_version_ = 0;
  Poll poll_{};
};

// One instance's housekeeping: marks, and purges of the changes that they see.
class Purger final : public Actor {
 public:
  void step(World& world) override;

 private:
  enum class State { mark, commit, purge };
  State state_ = State::mark;
  int mark_ = 0;
  int life_ = 0;
};

// Lets the database crash from time to time.
class Crasher final : public Actor {
 public:
  Crasher() { ready_at = 3 * kT; }
  void step(World& world) override;

 private:
  enum class State { before, crash, after };
  State state_ = State::before;
};

}  // namespace um::sim
