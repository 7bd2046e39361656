// Writers: the write of each setup, one step at a time.
#pragma once

#include "consistency/sim_world.hpp"

namespace um::sim {

// SQLite: the writer's thread holds the keys of a group, commits, settles, answers (section 8).
class SqliteWriter final : public Actor {
 public:
  explicit SqliteWriter(Instance& instance) : instance_{instance} {}
  void step(World& world) override;

 private:
  enum class State { begin, hold, commit, settle, answer };
  void commit(World& world);

  Instance& instance_;
  State state_ = State::begin;
  std::vector<std::string> keys_;
  std::vector<std::size_t> committed_;  // in the history
  Time began_ = 0;
  std::optional<Xid> committed_as_;
};

// PostgreSQL, bounded: a transaction that may take long. The writing instance holds the key locally
// and logs the change.
class BoundedWriter final : public Actor {
 public:
  explicit BoundedWriter(Instance& instance) : instance_{instance} {}
  void step(World& world) override;

 private:
  enum class State { begin, hold, open, write, commit, settle, answer };
  void end(World& world);

  Instance& instance_;
  State state_ = State::begin;
  Operation write_{};
  Xid xid_ = 0;
  int life_ = 0;
  std::optional<std::size_t> committed_;  // in the history
};

// PostgreSQL, strict: section 6. The hold is a row that every instance polls.
class StrictWriter final : public Actor {
 public:
  explicit StrictWriter(Instance& instance) : instance_{instance} {}
  void step(World& world) override;

 private:
  enum class State { begin, hold, waited_from_here, open, write, commit, answer };
  void commit(World& world);

  Instance& instance_;
  State state_ = State::begin;
  Operation write_{};
  Xid xid_ = 0;
  std::optional<std::size_t> committed_;  // in the history
};

// Another program: psql, or `user create` while a server runs.
class ForeignWriter final : public Actor {
 public:
  void step(World& world) override;

 private:
  enum class State { begin, write, commit };
  void commit(World& world);

  State state_ = State::begin;
  Operation write_{};
  Xid xid_ = 0;
  int life_ = 0;
};

}  // namespace um::sim
