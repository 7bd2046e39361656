// A strict write up to the moment when B begins: section 6, R, A and W.
#include <algorithm>

#include "consistency/model/protocol.hpp"

namespace um::model {
namespace {

bool within_a_step(Phase phase) {
  return phase == Phase::a_open || phase == Phase::a_done || phase == Phase::b_begun ||
         phase == Phase::b_fenced || phase == Phase::b_gated;
}

}  // namespace

Byte Protocol::wait_time(const Database& d) const {
  const Byte bound =
      mutated(Mutation::no_former_bound) ? d.bound : std::max(d.bound, d.former_bound);
  const Byte epsilon = mutated(Mutation::wait_without_epsilon) ? Byte{0} : world_.epsilon;
  return static_cast<Byte>(bound + epsilon);
}

// A and B go over connections that noted the namespace that the feed shows.
bool Protocol::feed_shows(const State& s, Byte w) const {
  const int home = world_.writers[w].home;
  return home < 0 || mutated(Mutation::b_in_another_namespace) ||
         s.instances[static_cast<unsigned>(home)].first_name == s.writers[w].name;
}

bool Protocol::same_incarnation(const State& s, Byte w) const {
  const Namespace now = s.database.name();
  return now != 0 && (incarnation_of(now) == incarnation_of(s.writers[w].name) ||
                      mutated(Mutation::b_in_another_namespace));
}

void Protocol::writes(const State& s, Byte w, Out& out) const {
  const Writer& writer = s.writers[w];
  const WriterPlan& plan = world_.writers[w];
  const Database& d = s.database;
  switch (writer.phase) {
    case Phase::idle: {
      const bool started =
          plan.home < 0 || s.instances[static_cast<unsigned>(plan.home)].life == Life::running;
      if (!started || d.name() == 0) {
        break;
      }
      Writer& b = out.add(s, {.step = Step::planned, .who = w}).writers[w];
      b.phase = Phase::planned;
      b.base_version = d.version;
      b.known_wait = wait_time(d);
      b.keys = plan.hold;
      b.hold_id = mutated(Mutation::hold_ids_used_again) ? Byte{0} : w;
      b.name = plan.home < 0 ? d.name() : s.instances[static_cast<unsigned>(plan.home)].first_name;
      break;
    }
    case Phase::planned:
      if (!same_incarnation(s, w)) {
        break;
      }
      if (plan.bounded || mutated(Mutation::commit_wait_answer_without_a_hold)) {
        if (ids_left(s, out)) {
          State& n = out.add(s, {.step = Step::b_begun, .who = w});
          n.writers[w].phase = Phase::b_gated;
          n.writers[w].way = Way::bounded;
          n.writers[w].xid = n.database.next_xid++;
        }
        break;
      }
      if (plan.alone) {
        begin_b(s, w, Way::alone, out);
      }
      announce(s, w, out);
      break;
    case Phase::a_open: {
      State& n = out.add(s, {.step = Step::a_committed, .who = w});
      n.writers[w].phase = Phase::a_done;
      Database& e = n.database;
      for (unsigned key = 0; key < kKeys; ++key) {
        const unsigned row = hold_row(writer.hold_id, key);
        if (writer.keys.has(key) && !d.holds.has(row)) {
          e.holds.add(row);
          e.hold_xid[row] = writer.xid;
        }
      }
      e.ended.add(writer.xid);
      e.committed.add(writer.xid);
      n.writers[w].xid = 0;
      break;
    }
    case Phase::a_done: {
      Writer& b = out.add(s, {.step = Step::a_acknowledged, .who = w}).writers[w];
      b.phase = Phase::held;
      b.wait = writer.known_wait;
      if (mutated(Mutation::writer_waits_less)) {
        b.wait = static_cast<Byte>(b.wait - 1);
      }
      break;
    }
    case Phase::held:
      if (!feed_shows(s, w)) {
        out.add(s, {.step = Step::gave_up, .who = w}).writers[w].phase = Phase::failed;
        break;
      }
      if (plan.abandoned) {
        break;
      }
      if (plan.acknowledged) {
        begin_b(s, w, Way::acknowledged, out);
      }
      if (plan.waited) {
        begin_b(s, w, Way::waited, out);
      }
      break;
    case Phase::b_begun:
    case Phase::b_fenced:
      gate(s, w, out);
      break;
    case Phase::b_gated:
      update(s, w, out);
      break;
    default:
      outcome(s, w, out);
      break;
  }
  if (mutated(Mutation::registry_read_before_a_commits) && writer.phase == Phase::a_open &&
      !writer.asked.has(kInstances)) {
    Writer& b = out.add(s, {.step = Step::registry_asked, .who = w}).writers[w];
    b.asked.add(kInstances);
    for (unsigned i = 0; i < kInstances; ++i) {
      if (d.row[i] != 0) {
        b.asked.add(i);
      }
    }
  }
}

// Steps of the writer until it stands where it may stay; a branch that would have to wait is a
// branch that has not begun.
void Protocol::whole_writes(const State& s, Byte w, Out& out) const {
  Out steps;
  writes(s, w, steps);
  for (std::size_t done = 0; done < steps.all().size(); ++done) {
    const auto [state, label] = steps.all()[done];
    if (within_a_step(state.writers[w].phase)) {
      writes(state, w, steps);
    } else {
      out.add(state, label);
    }
  }
}

// A: the keys of the hold. Its transaction may be open for any time.
void Protocol::announce(const State& s, Byte w, Out& out) const {
  const Database& d = s.database;
  if (!world_.writers[w].acknowledged && !world_.writers[w].waited) {
    return;
  }
  if (mutated(Mutation::hold_ids_used_again) && !d.holds.empty()) {
    return;  // the primary key
  }
  if (!feed_shows(s, w) || !ids_left(s, out)) {
    return;
  }
  State& n = out.add(s, {.step = Step::a_begun, .who = w});
  n.writers[w].phase = Phase::a_open;
  n.writers[w].xid = n.database.next_xid++;
}

void Protocol::begin_b(const State& s, Byte w, Way way, Out& out) const {
  const Writer& writer = s.writers[w];
  const WriterPlan& plan = world_.writers[w];
  const bool counts = plan.home < 0 ||
                      s.instances[static_cast<unsigned>(plan.home)].first_wait == 0 ||
                      mutated(Mutation::acknowledgements_count_in_a_new_namespace);
  const bool asked = mutated(Mutation::registry_read_before_a_commits) &&
                     way == Way::acknowledged && !writer.asked.has(kInstances);
  if (!feed_shows(s, w) || !counts || asked || !same_incarnation(s, w) ||
      (way == Way::waited && writer.wait != 0) || (plan.home < 0 && way != Way::waited)) {
    return;
  }
  State& n = out.add(s, {.step = Step::b_begun, .who = w});
  n.writers[w].phase = Phase::b_begun;
  n.writers[w].way = way;
  if (plan.home >= 0 && world_.roles[static_cast<unsigned>(plan.home)] == Role::full &&
      plan.touches.has(world_.watched) && !mutated(Mutation::own_keys_not_held)) {
    n.instances[static_cast<unsigned>(plan.home)].local.add(w);
  }
}

// Housekeeping and the reaper of holds: whenever no open B has locked the rows. Both wait for long
// times, which the model leaves out: the fence must make any time safe.
void Protocol::hold_reaper(const State& s, Out& out) const {
  if (!world_.holds_are_reaped) {
    return;
  }
  const bool some_abandoned = std::ranges::any_of(world_.writers, &WriterPlan::abandoned);
  for (Byte id = 0; id < kWriters; ++id) {
    if (some_abandoned && !world_.writers[id].abandoned) {
      continue;
    }
    Holds rows;
    for (unsigned key = 0; key < kKeys; ++key) {
      rows.add(hold_row(id, key));
    }
    rows = rows & s.database.holds;
    if (!rows.empty() && (rows & s.database.locked_holds).empty()) {
      State& n = out.add(s, {.step = Step::hold_reaped, .who = id});
      n.database.holds = n.database.holds - rows;
    }
  }
}

}  // namespace um::model
