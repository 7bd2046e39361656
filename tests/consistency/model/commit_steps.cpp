// B: the gate, the update, the commit and what the client is told. Section 6.
#include <algorithm>

#include "consistency/model/protocol.hpp"

namespace um::model {
namespace {

Holds rows_of(const Writer& w) {
  Holds rows;
  for (unsigned key = 0; key < kKeys; ++key) {
    if (w.keys.has(key)) {
      rows.add(hold_row(w.hold_id, key));
    }
  }
  return rows;
}

bool has_hold(const Writer& w) {
  return w.way == Way::acknowledged || w.way == Way::waited;
}

}  // namespace

bool Protocol::everyone_acknowledged(const State& s, Byte w) const {
  const Database& d = s.database;
  const Writer& writer = s.writers[w];
  const int home = world_.writers[w].home;
  for (unsigned i = 0; i < kInstances; ++i) {
    const bool own = home == static_cast<int>(i) && d.row[i] == s.instances[i].generation;
    if (d.row[i] == 0 || own ||
        (mutated(Mutation::registry_read_before_a_commits) && !writer.asked.has(i))) {
      continue;
    }
    if (d.ack_of[i] != d.row[i]) {
      return false;
    }
    for (unsigned row = 0; row < kWriters * kKeys; ++row) {
      if (!rows_of(writer).has(row) || mutated(Mutation::acknowledgement_of_an_earlier_hold)) {
        continue;
      }
      const bool saw = d.ack_seen[i].has(d.hold_xid[row]) ||
                       mutated(Mutation::acknowledgement_without_its_snapshot);
      if (d.ack_xid[i] <= d.hold_xid[row] || !saw) {
        return false;
      }
    }
  }
  return true;
}

bool Protocol::nobody_else(const State& s, Byte w) const {
  const int home = world_.writers[w].home;
  for (unsigned i = 0; i < kInstances; ++i) {
    const bool own = home == static_cast<int>(i) && s.database.row[i] == s.instances[i].generation;
    if (s.database.row[i] != 0 && !own) {
      return false;
    }
  }
  return true;
}

// What the database does when B ends without a commit: the hold stays.
void Protocol::abort(State& s, Byte w) const {
  const Writer& writer = s.writers[w];
  if (has_hold(writer)) {
    s.database.locked_holds = s.database.locked_holds - rows_of(writer);
  }
  if (writer.xid != 0) {
    s.database.ended.add(writer.xid);
    s.database.changes.remove(writer.xid);
  }
  if (s.database.row_lock == w + 1) {
    s.database.row_lock = 0;
  }
}

// The writer knows that B was rolled back.
void Protocol::roll_back(State& s, Byte w, Phase phase) const {
  abort(s, w);
  Writer& writer = s.writers[w];
  writer.xid = 0;
  writer.fate = Fate::none;
  writer.phase = phase;
  writer.way = Way::none;
  release_local(s, w);
}

void Protocol::release_local(State& s, Byte w) const {
  const int home = world_.writers[w].home;
  if (home >= 0) {
    s.instances[static_cast<unsigned>(home)].local.remove(w);
  }
}

// Each statement of the function has a snapshot of its own.
void Protocol::gate(const State& s, Byte w, Out& out) const {
  const Writer& writer = s.writers[w];
  const Database& d = s.database;
  const auto raise = [&](Step step, Phase phase) {
    State& n = out.add(s, {.step = step, .who = w});
    roll_back(n, w, phase);
  };
  const Phase back = has_hold(writer) ? Phase::held : Phase::planned;
  if (writer.phase == Phase::b_begun) {
    if (epoch_of(writer.name) != d.epoch && !mutated(Mutation::gate_ignores_the_epoch)) {
      raise(Step::gate_epoch, Phase::failed);
    } else if (writer.way == Way::alone) {
      if (d.joining != 0 && !mutated(Mutation::alone_without_the_lock)) {
        raise(Step::gate_not_alone, back);
      } else {
        out.add(s, {.step = Step::b_locked, .who = w}).writers[w].phase = Phase::b_fenced;
      }
    } else {
      const Holds rows = rows_of(writer);
      if (!mutated(Mutation::b_without_the_fence) && !d.holds.contains(rows)) {
        const bool again = s.restarts_left != 0;
        State& n = out.add(s, {.step = Step::gate_no_hold, .who = w});
        n.restarts_left = static_cast<Byte>(n.restarts_left - (again ? 1 : 0));
        roll_back(n, w, again ? Phase::planned : Phase::failed);
      } else if ((d.locked_holds & rows).empty()) {
        State& n = out.add(s, {.step = Step::b_fenced, .who = w});
        n.writers[w].phase = Phase::b_fenced;
        n.database.locked_holds = n.database.locked_holds | rows;
      }
    }
    return;
  }
  if (writer.way == Way::alone && !nobody_else(s, w)) {
    raise(Step::gate_not_alone, back);
  } else if (writer.way == Way::acknowledged && !everyone_acknowledged(s, w)) {
    raise(Step::gate_not_yet, back);
  } else if (ids_left(s, out)) {
    State& n = out.add(s, {.step = Step::b_gated, .who = w});
    n.writers[w].phase = Phase::b_gated;
    n.writers[w].xid = n.database.next_xid++;
  }
}

void Protocol::update(const State& s, Byte w, Out& out) const {
  const Writer& writer = s.writers[w];
  const WriterPlan& plan = world_.writers[w];
  const Database& d = s.database;
  if (d.row_lock != 0) {
    return;  // waits for the other transaction
  }
  if (d.version != writer.base_version) {
    // R again, from the primary, and B again with the same hold.
    State& n = out.add(s, {.step = Step::cas_lost, .who = w});
    n.writers[w].base_version = d.version;
    roll_back(n, w, has_hold(writer) ? Phase::held : Phase::planned);
    return;
  }
  if (has_hold(writer) && !(plan.touches - writer.keys).empty() &&
      !mutated(Mutation::key_outside_the_hold)) {
    // The trigger raises: the missing key is added to the hold by another A.
    State& n = out.add(s, {.step = Step::key_not_held, .who = w});
    n.writers[w].keys = plan.touches;
    roll_back(n, w, Phase::planned);
    return;
  }
  State& n = out.add(s, {.step = Step::b_updated, .who = w});
  n.writers[w].phase = Phase::b_updated;
  n.writers[w].fate = Fate::open;
  n.database.row_lock = static_cast<Byte>(w + 1);
  if (plan.touches.has(world_.watched)) {
    n.database.changes.add(writer.xid);
  }
}

void Protocol::commit(State& s, Byte w) const {
  Writer& writer = s.writers[w];
  Database& d = s.database;
  writer.fate = Fate::committed;
  d.ended.add(writer.xid);
  d.committed.add(writer.xid);
  d.row_lock = 0;
  if (has_hold(writer)) {
    d.holds = d.holds - rows_of(writer);
    d.locked_holds = d.locked_holds - rows_of(writer);
  }
  if (!world_.writers[w].touches.has(world_.watched)) {
    return;
  }
  ++d.version;
  writer.version = d.version;
  if (world_.writers[w].bounded) {
    s.due.at(d.version) = world_.bound;
  } else if (world_.outsider) {
    s.floor = std::max(s.floor, d.version);
  }
}

void Protocol::tell_success(State& s, Byte w) const {
  Writer& writer = s.writers[w];
  writer.phase = Phase::written;
  if (writer.fate != Fate::committed) {
    s.violation = Violation::false_success;
  }
  const int home = world_.writers[w].home;
  if (world_.writers[w].bounded && home >= 0) {
    Instance& a = s.instances[static_cast<unsigned>(home)];
    if (!mutated(Mutation::bounded_write_not_logged)) {
      if (!a.applied.has(writer.xid)) {
        a.log.add(writer.xid);
      }
      a.l1 = 0;
    }
    a.own_floor = std::max(a.own_floor, writer.version);
  } else {
    s.floor = std::max(s.floor, writer.version);
  }
  if (home >= 0) {
    const Instance& a = s.instances[static_cast<unsigned>(home)];
    if ((a.name == writer.name && a.applied.has(writer.xid)) ||
        mutated(Mutation::own_hold_ends_with_the_answer)) {
      release_local(s, w);
    }
  }
}

void Protocol::outcome(const State& s, Byte w, Out& out) const {
  const Writer& writer = s.writers[w];
  const Database& d = s.database;
  const auto lose = [&](Fate fate) {
    if (world_.commits_lose_connections) {
      State& n = out.add(s, {.step = Step::connection_lost, .who = w});
      n.writers[w].phase = Phase::lost;
      n.writers[w].fate = fate;
    }
  };
  switch (writer.phase) {
    case Phase::b_updated: {
      Step step = Step::commit_bounded;
      if (writer.way != Way::bounded) {
        step = writer.way == Way::alone          ? Step::commit_alone
               : writer.way == Way::acknowledged ? Step::commit_acknowledged
                                                 : Step::commit_waited;
      }
      State& n = out.add(s, {.step = step, .who = w});
      commit(n, w);
      n.writers[w].phase = Phase::b_done;
      lose(Fate::open);
      break;
    }
    case Phase::b_done: {
      State& n = out.add(s, {.step = Step::answered, .who = w});
      tell_success(n, w);
      lose(Fate::committed);
      break;
    }
    case Phase::lost: {
      if (writer.fate == Fate::open) {  // the server goes on with the COMMIT, or does not
        State& commits = out.add(s, {.step = Step::orphan_commits, .who = w});
        commit(commits, w);
        State& aborts = out.add(s, {.step = Step::orphan_aborts, .who = w});
        abort(aborts, w);
        aborts.writers[w].fate = Fate::aborted;
      }
      if (d.name() == 0) {
        break;
      }
      const Holds rows = rows_of(writer);
      if (!has_hold(writer)) {
        out.add(s, {.step = Step::hold_gone, .who = w}).writers[w].phase = Phase::no_hold;
      } else if (!(d.locked_holds & rows).empty()) {
        out.add(s, {.step = Step::delete_waits, .who = w});  // the lock timeout; later again
      } else if (d.holds.contains(rows)) {
        State& n = out.add(s, {.step = Step::told_failure, .who = w});
        n.database.holds = n.database.holds - rows;
        n.writers[w].phase = Phase::failed;
        release_local(n, w);
        if (writer.fate != Fate::aborted) {
          n.violation = Violation::false_failure;
        }
      } else {
        out.add(s, {.step = Step::hold_gone, .who = w}).writers[w].phase = Phase::no_hold;
      }
      break;
    }
    case Phase::no_hold: {  // pg_xact_status and the namespace, in one statement
      if (writer.fate == Fate::open) {
        State& n = out.add(s, {.step = Step::orphan_commits, .who = w});
        commit(n, w);
        break;
      }
      if (d.name() == 0) {
        break;
      }
      const bool same = d.name() == writer.name || mutated(Mutation::status_across_a_crash);
      if (!same || writer.xid >= d.next_xid) {
        State& n = out.add(s, {.step = Step::told_unknown, .who = w});
        n.writers[w].phase = Phase::unknown;
        if (mutated(Mutation::unknown_outcome_ends_the_hold)) {
          release_local(n, w);
        }
      } else if (d.committed.has(writer.xid)) {
        State& n = out.add(s, {.step = Step::told_success, .who = w});
        tell_success(n, w);
      } else if (d.ended.has(writer.xid)) {
        State& n = out.add(s, {.step = Step::told_failure, .who = w});
        n.writers[w].phase = Phase::failed;
        release_local(n, w);
        if (writer.fate != Fate::aborted) {
          n.violation = Violation::false_failure;
        }
      }
      break;
    }
    default:
      break;
  }
}

}  // namespace um::model
