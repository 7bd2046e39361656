#pragma once

#include <array>
#include <cstddef>
#include <string>

#include "consistency/model/explorer.hpp"
#include "consistency/model/scenario.hpp"
#include "consistency/model/state.hpp"

namespace um::model {

using Out = Successors<State, Label>;

class Protocol {
 public:
  explicit Protocol(const Scenario& scenario, Mutation mutation = Mutation::none)
      : world_{scenario}, mutation_{mutation} {}

  State initial() const;
  void successors(const State& s, Out& out) const;
  static bool violated(const State& s) { return s.violation != Violation::none; }
  void taken(Label label) { ++counts_[static_cast<std::size_t>(label.step)]; }
  std::size_t count(Step step) const { return counts_[static_cast<std::size_t>(step)]; }

 private:
  bool mutated(Mutation mutation) const { return mutation_ == mutation; }

  // world_steps.cpp: time, crashes, other programs
  void time_passes(const State& s, Out& out) const;
  void crashes(const State& s, Out& out) const;
  void migrations(const State& s, Out& out) const;
  void other_programs(const State& s, Out& out) const;

  // poll_steps.cpp: sections 3 and 7
  void polls(const State& s, Byte i, Out& out) const;
  void answer_poll(const Database& d, Instance& a) const;
  void receive_poll(const Database& d, Instance& a) const;
  Step apply_poll(State& n, Byte i, Byte lease_before) const;
  Step write_lease(State& n, Byte i, Byte slow) const;
  void keep_own_writes(State& n, Byte i) const;
  void acknowledgements(const State& s, Byte i, Out& out) const;
  void marks(const State& s, Out& out) const;

  // registry_steps.cpp: section 7
  void joins(const State& s, Byte i, Out& out) const;
  void refreshes(const State& s, Byte i, Out& out) const;
  void leaves(const State& s, Byte i, Out& out) const;
  void reaper(const State& s, Out& out) const;
  void member(const State& s, Byte i, Out& out) const;
  bool may_join(const State& s, Byte i) const;
  Byte next_generation(const Instance& a) const;

  // read_steps.cpp: sections 4 and 5
  void fills(const State& s, Byte i, Out& out) const;
  void reads(const State& s, Byte i, Out& out) const;
  void redis(const State& s, Byte i, Out& out) const;
  bool admissible(const Instance& a, Namespace name, Xids seen) const;
  bool held(const Instance& a) const;
  Byte floor_of(const State& s, Byte i) const;
  void answer(State& s, Byte i, Byte floor, Byte version) const;

  // write_steps.cpp: section 6, R, A and W
  void writes(const State& s, Byte w, Out& out) const;
  void whole_writes(const State& s, Byte w, Out& out) const;
  void announce(const State& s, Byte w, Out& out) const;
  void begin_b(const State& s, Byte w, Way way, Out& out) const;
  Byte wait_time(const Database& d) const;
  bool feed_shows(const State& s, Byte w) const;
  void hold_reaper(const State& s, Out& out) const;

  // commit_steps.cpp: section 6, B and its outcome
  void gate(const State& s, Byte w, Out& out) const;
  void update(const State& s, Byte w, Out& out) const;
  void outcome(const State& s, Byte w, Out& out) const;
  bool everyone_acknowledged(const State& s, Byte w) const;
  bool nobody_else(const State& s, Byte w) const;
  void abort(State& s, Byte w) const;
  void roll_back(State& s, Byte w, Phase phase) const;
  void commit(State& s, Byte w) const;
  void tell_success(State& s, Byte w) const;
  void release_local(State& s, Byte w) const;

  Scenario world_;
  Mutation mutation_;
  std::array<std::size_t, kSteps> counts_{};
};

// One line: the members that matter.
std::string describe(const State& s);


}  // namespace um::model
