// The cache protocol as a model that an explorer can search state by state.
//
// A Scenario is a small world: two or three instances, one or two writers, one row, few ticks of
// time. Protocol says which steps are possible in a state. The explorer visits every state that any
// order of steps can reach, and looks for a read that breaks the promise. A Mutation switches one
// rule off; the search must then find a broken promise, else it proves nothing.
//
// The promise. State::floor is the newest version that was acknowledged, or that another read has
// returned. A read notes the floor when it begins and must not return less. A write of mode
// bounded, or of another program, belongs to the floor T ticks after its commit, and at once for
// the instance that made it (Instance::own_floor). The answer to a client must be true:
// Violation::false_success, Violation::false_failure.
//
// Steps, by parts of the protocol, with their files (docs/adr/0011-what-the-model-found.md):
//
//   2 namespace, crash       world_steps.cpp     crash, rows_restored, failover, incarnation_made
//   2 settings               world_steps.cpp     migrated, process_started, instance_stops
//   3 poll, flush, lease     poll_steps.cpp      poll_*, lease_*, reconnected, trimmed
//   3 marks and purge        poll_steps.cpp      mark_taken, purged
//   4 facts and admission    read_steps.cpp      fill_*, fact_*
//   5 reading, single flight read_steps.cpp      hit*, l2_hit, reader_*, follower_*, primary_read
//   6 R, A, W                write_steps.cpp     planned, a_*, registry_asked, hold_reaped
//   6 B: gate and commit     commit_steps.cpp    b_*, gate_*, cas_lost, key_not_held, commit_*
//   6 an unknown outcome     commit_steps.cpp    connection_lost, orphan_*, told_*, hold_gone
//   7 acknowledgements       poll_steps.cpp      ack_*, expelled
//   7 registry               registry_steps.cpp  join_*, refresh_*, reaper_*, session_ends
//
// What is left out, and why nothing is lost:
//
// - Time passes everywhere at once, in ticks, between any two steps. A timer is what is left of it.
//   Clocks that differ appear as a lease that lasts up to epsilon longer than T. P and the bell are
//   absent: a poll may be sent at any time. The question of W is absent: B may be tried at any
//   time, and the gate decides.
// - A snapshot is the set of the transactions that had ended (state.hpp). Only transactions with
//   ids that are compared have one: A, B and transactions of other programs. An acknowledgement has
//   the number that would be next.
// - L1, log and readers exist for one key of the row, in the instances of Role::full. No instance
//   depends on the memory of another one, so other instances can be members of the registry that
//   poll in one step.
// - With Scenario::outsider, an instance without a lease reads every version of a strict write at
//   its commit. Any deployment may have such an instance, and no other reader raises the floor
//   earlier. So readers do not influence each other, and one reader in two steps is enough; a read
//   with the floor 0 cannot go wrong. The scenario TwoCaches does without the outsider.
// - Each instance has one query of the primary under way, which may last for ever, and Redis has
//   one fact, which may appear at any time. Admission judges each fact by itself, so more of them
//   are no more than another order. Eviction is absent: a fact may replace what L1 has.
// - The reaper of holds and housekeeping do not wait: the fence has to make any time safe.
// - An acknowledgement is inserted and committed in one step: a later commit is a later step, and
//   an acknowledgement of a row that was deleted in between belongs to no instance.
// - A flush for more than K rows, or for a flush row, is the flush of a lost connection.
// - A former row of an instance that joins anew is gone: it can only delay writers.
// - Merged steps (Scenario::merged_polls, merged_writes): an earlier lease, A's commit and a gate
//   passed at the moment of the update allow all that later ones allow. Scenarios with few states
//   have every step by itself.
// - Forged facts (a MAC forbids them), counters, sessions and SQLite are absent.
//
// To replay a counterexample: a failed scenario prints its trace, the shortest one: each step, its
// actor, the state after it. A mutation prints its trace if UM_MODEL_TRACE is set:
//
//   UM_MODEL_TRACE=1 build/dev/tests/model_test --gtest_filter='*/IsFound/XminHorizon'
//
// The search is deterministic. In a debugger, break in Protocol::answer() with s.violation !=
// Violation::none.
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

  bool ids_left(const State& s, Out& out) const;

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
  bool same_incarnation(const State& s, Byte w) const;
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
