// What happens to everybody: time, crashes, a migration, transactions of other programs.
#include <algorithm>

#include "consistency/model/protocol.hpp"

namespace um::model {
namespace {

void count_down(Byte& left) {
  left = static_cast<Byte>(left - (left != 0 ? 1 : 0));
}

void count_up(Byte& age, unsigned most) {
  age = static_cast<Byte>(std::min<unsigned>(age + 1U, most));
}

}  // namespace

State Protocol::initial() const {
  State s{};
  Database& d = s.database;
  d.next_xid = 1;
  d.incarnation = 1;
  d.has_incarnation = 1;
  d.bound = world_.bound;
  for (Byte i = 0; i < kInstances; ++i) {
    Instance& a = s.instances[i];
    if (world_.roles[i] == Role::absent || world_.unstarted[i]) {
      continue;
    }
    a.life = Life::running;
    a.bound = world_.bound;
    a.name = a.first_name = d.name();
    a.generation = 1;
    a.refresh_left = world_.refresh_bound;
    if (world_.out[i]) {
      a.fresh = 1;
    } else {
      a.join = Join::acknowledged;
      d.row[i] = 1;
    }
  }
  s.crashes_left = world_.crashes;
  s.losses_left = world_.losses;
  s.migrations_left = world_.migrations;
  s.foreign_left = world_.foreign;
  s.restarts_left = world_.restarts;
  return s;
}

void Protocol::successors(const State& s, Out& out) const {
  time_passes(s, out);
  crashes(s, out);
  migrations(s, out);
  other_programs(s, out);
  marks(s, out);
  reaper(s, out);
  hold_reaper(s, out);
  for (Byte i = 0; i < kInstances; ++i) {
    if (world_.roles[i] == Role::full) {
      polls(s, i, out);
      acknowledgements(s, i, out);
      joins(s, i, out);
      refreshes(s, i, out);
      leaves(s, i, out);
      fills(s, i, out);
      reads(s, i, out);
      redis(s, i, out);
    } else if (world_.roles[i] == Role::member) {
      member(s, i, out);
    }
  }
  for (Byte w = 0; w < kWriters; ++w) {
    if (world_.writers[w].used && world_.merged_writes) {
      whole_writes(s, w, out);
    } else if (world_.writers[w].used) {
      writes(s, w, out);
    }
  }
}

bool Protocol::ids_left(const State& s, Out& out) const {
  if (s.database.next_xid <= kMostXids) {
    return true;
  }
  out.add(s, {.step = Step::out_of_ids});
  return false;
}

void Protocol::time_passes(const State& s, Out& out) const {
  State n = s;
  bool lapsed = false;
  for (Instance& a : n.instances) {
    lapsed |= a.lease == 1 && a.l1 != 0;
    count_down(a.lease);
    count_down(a.lease_l2);
    count_down(a.first_wait);
    count_down(a.refresh_left);
    if (a.poll != Poll::idle) {
      count_up(a.poll_age, a.bound);
    }
    if (a.refresh != Refresh::idle) {
      count_up(a.refresh_age, world_.refresh_bound);
    }
  }
  for (Writer& w : n.writers) {
    count_down(w.wait);
  }
  count_down(n.reaper.left);
  for (Byte version = 0; version < n.due.size(); ++version) {
    if (n.due[version] == 1) {
      n.floor = std::max(n.floor, version);
    }
    count_down(n.due[version]);
  }
  out.add(n, {.step = lapsed ? Step::lease_lapses : Step::time});
}

// PostgreSQL recovers: open transactions are gone, unlogged tables are empty, and the ids of
// transactions whose end was not on disk are handed out again. Answers that were on their way may
// still arrive.
void Protocol::crashes(const State& s, Out& out) const {
  if (s.crashes_left == 0) {
    return;
  }
  State n = s;
  --n.crashes_left;
  Database& d = n.database;
  const Xids durable = d.committed & d.changes;
  d.changes = durable;
  if (world_.xids_used_again && !world_.failover) {
    d.next_xid = static_cast<Byte>(std::max(durable.top(), 1U));
  }
  d.ended = {.word = static_cast<std::uint16_t>(((1U << d.next_xid) - 1U) & ~1U)};
  d.committed = d.committed & d.ended;
  d.locked_holds = {};
  d.row_lock = d.joining = 0;
  d.foreign_open = 0;
  if (!world_.rows_restored) {
    d.holds = {};
    d.hold_xid = {};
    d.row = d.ack_of = d.ack_xid = {};
    d.ack_seen = {};
  }
  if (world_.failover || !mutated(Mutation::no_incarnation)) {
    d.has_incarnation = 0;
  }
  for (Instance& a : n.instances) {
    a.link = Link::lost;
    if (a.poll == Poll::sent) {
      a.poll = Poll::idle;
      a.poll_age = a.poll_entitled = 0;
    }
    a.join = a.join == Join::locked ? Join::out : a.join;
    a.ack = Ack::idle;
    a.ack_seen = {};
    if (a.refresh == Refresh::sent) {
      a.refresh = Refresh::idle;
      a.refresh_age = 0;
    }
  }
  for (Byte i = 0; i < kWriters; ++i) {
    Writer& w = n.writers[i];
    if (w.phase == Phase::a_open || w.phase == Phase::a_done ||
        (w.phase >= Phase::b_begun && w.phase < Phase::b_updated)) {
      w.phase = Phase::failed;
      release_local(n, i);
    } else if (w.phase == Phase::b_updated || w.phase == Phase::b_done) {
      w.fate = w.phase == Phase::b_done ? Fate::committed : Fate::aborted;
      w.phase = Phase::lost;
    } else if (w.fate == Fate::open) {
      w.fate = Fate::aborted;
    }
  }
  n.reaper = {};
  Step step = world_.failover ? Step::failover : Step::crash;
  if (world_.rows_restored) {
    step = Step::rows_restored;
  }
  out.add(n, {.step = step});
}

// `migrate` changes T while no instance is registered.
void Protocol::migrations(const State& s, Out& out) const {
  const Database& d = s.database;
  if (s.migrations_left != 0 && d.name() != 0 && d.joining == 0 &&
      std::ranges::all_of(d.row, [](Byte row) { return row == 0; })) {
    State& n = out.add(s, {.step = Step::migrated});
    n.database.bound = world_.new_bounds.at(world_.migrations - s.migrations_left);
    n.database.former_bound = mutated(Mutation::former_bound_of_the_last_change_only)
                                  ? std::max(d.bound, n.database.bound)
                                  : std::max(d.bound, d.former_bound);
    --n.migrations_left;
    ++n.database.epoch;
  }
  for (Byte i = 0; i < kInstances; ++i) {
    if (world_.unstarted[i] && s.instances[i].life == Life::not_started && s.migrations_left == 0) {
      State& n = out.add(s, {.step = Step::process_started, .who = i});
      Instance& a = n.instances[i];
      a.life = Life::running;
      a.bound = d.bound;
      a.fresh = 1;
    }
  }
}

// A transaction of another program, which may write the row without a hold.
void Protocol::other_programs(const State& s, Out& out) const {
  const Database& d = s.database;
  if (s.foreign_left != 0 && d.foreign_open == 0 && (!world_.foreign_writes || d.row_lock == 0) &&
      ids_left(s, out)) {
    State& n = out.add(s, {.step = Step::foreign_begins});
    --n.foreign_left;
    n.database.foreign_xid = n.database.next_xid++;
    n.database.foreign_open = 1;
    if (world_.foreign_writes) {
      n.database.row_lock = kWriters + 1;
      n.database.changes.add(n.database.foreign_xid);
    }
  }
  if (d.foreign_open != 0) {
    State& n = out.add(s, {.step = Step::foreign_commits});
    n.database.ended.add(d.foreign_xid);
    n.database.committed.add(d.foreign_xid);
    n.database.foreign_open = 0;
    if (world_.foreign_writes) {
      n.database.row_lock = 0;
      ++n.database.version;
      n.due.at(n.database.version) = world_.bound;
    }
  }
}

}  // namespace um::model
