// The poll and its acknowledgement: sections 3 and 7.
#include <algorithm>

#include "consistency/model/protocol.hpp"

namespace um::model {
namespace {

// The recipe that is wrong: only what lies below the oldest running transaction.
Xids below_xmin(const Database& d) {
  Xids seen;
  for (unsigned xid = 1; xid < d.next_xid && d.ended.has(xid); ++xid) {
    seen.add(xid);
  }
  return seen;
}

Holds rows_in(Holds rows, const Database& d, Xids seen) {
  Holds in;
  for (unsigned row = 0; row < kWriters * kKeys; ++row) {
    if (rows.has(row) && seen.has(d.hold_xid[row])) {
      in.add(row);
    }
  }
  return in;
}

void end_poll(Instance& a) {
  a.poll = Poll::idle;
  a.answer = a.answer_changes = {};
  a.answer_name = 0;
  a.answer_holds = a.answer_new_holds = {};
  a.answer_fresh = a.answer_flush = a.answer_marked = a.answer_bound = 0;
  a.poll_age = a.poll_entitled = 0;
}

}  // namespace

// The one statement, in its snapshot.
void Protocol::answer_poll(const Database& d, Instance& a) const {
  const bool xmin = mutated(Mutation::xmin_horizon);
  a.poll = Poll::answered;
  a.answer = xmin ? below_xmin(d) : d.ended;
  a.answer_name = d.name();
  a.answer_bound = d.bound;
  a.answer_fresh = a.fresh;
  a.answer_marked = a.fresh != 0 && d.mark_of == d.name() ? 1 : 0;
  a.answer_flush = d.purged != 0 && a.fresh == 0 && !a.applied.contains(d.mark) &&
                           !mutated(Mutation::purge_without_the_mark)
                       ? 1
                       : 0;
  const Xids since = a.fresh != 0 ? (a.answer_marked != 0 ? d.mark : Xids{}) : a.applied;
  a.answer_changes = (d.changes & d.committed & a.answer) - since;
  // Rows of an aborted or unseen A are not in `holds`; below xmin it is the condition that hides
  // them.
  const Holds visible = xmin ? rows_in(d.holds, d, a.answer) : d.holds;
  const Holds older = rows_in(visible, d, since);
  a.answer_new_holds = visible - older;
  if (a.fresh != 0) {
    a.answer_holds = mutated(Mutation::mark_shows_newer_holds_only) ? a.answer_new_holds : visible;
    a.answer_new_holds = a.answer_holds;
  } else {
    a.answer_holds = a.answer_new_holds | (a.holds & visible);
    if (mutated(Mutation::holds_known_by_key) && !(a.holds - visible).empty()) {
      a.answer_holds = a.answer_new_holds;  // the key of the hold that is gone is forgotten
    }
  }
}

void Protocol::receive_poll(const Database& d, Instance& a) const {
  a.poll = Poll::received;
  if (a.first_name != a.answer_name) {
    a.first_name = a.answer_name;
    a.first_wait = wait_time(d);
  }
  if (mutated(Mutation::lease_from_the_receipt)) {
    a.poll_age = 0;
  }
}

void Protocol::polls(const State& s, Byte i, Out& out) const {
  const Instance& a = s.instances[i];
  const bool running = a.life == Life::running;
  if (a.poll == Poll::idle && running && a.link == Link::lost) {
    Instance& b = out.add(s, {.step = Step::reconnected, .who = i}).instances[i];
    b.link = Link::up;
    b.fresh = 1;
    b.join = Join::out;
    b.ack = Ack::idle;
    b.ack_seen = {};
    b.refresh = Refresh::idle;
    b.refresh_age = 0;
  } else if (a.poll == Poll::idle && running && s.database.has_incarnation == 0) {
    State& n = out.add(s, {.step = Step::incarnation_made, .who = i});
    ++n.database.incarnation;
    n.database.has_incarnation = 1;
  } else if (a.poll == Poll::idle && running) {
    State& n = out.add(s, {.step = Step::poll_sent, .who = i});
    Instance& b = n.instances[i];
    b.poll = Poll::sent;
    b.poll_entitled =
        a.join == Join::acknowledged || mutated(Mutation::polls_before_it_registers) ? 1 : 0;
    if (world_.merged_polls) {
      answer_poll(n.database, b);
    }
  } else if (a.poll == Poll::sent && s.database.has_incarnation != 0) {
    answer_poll(s.database, out.add(s, {.step = Step::poll_answered, .who = i}).instances[i]);
  } else if (a.poll == Poll::answered && !world_.merged_polls) {
    Instance& b = out.add(s, {.step = Step::poll_received, .who = i}).instances[i];
    receive_poll(s.database, b);
  } else if (a.poll == Poll::answered || a.poll == Poll::received || a.poll == Poll::emptied) {
    State n = s;
    if (a.poll == Poll::answered) {
      receive_poll(s.database, n.instances[i]);
    }
    const Step step = apply_poll(n, i, s.instances[i].lease);
    if (world_.merged_polls && n.instances[i].poll == Poll::applied) {
      write_lease(n, i, 0);
    }
    out.add(n, {.step = step, .who = i});
  } else if (a.poll == Poll::applied) {
    for (Byte slow = 0; slow <= world_.epsilon; ++slow) {
      State n = s;
      const Step step = write_lease(n, i, slow);
      out.add(n, {.step = step, .who = i});
    }
  }
  if (running && a.poll == Poll::idle && world_.trims && !(a.base == a.applied)) {
    Instance& b = out.add(s, {.step = Step::trimmed, .who = i}).instances[i];
    b.base = b.applied;
    b.log = b.log - b.base;
  }
}

// The last step of a poll; by the clocks of others the lease may last `slow` ticks longer.
Step Protocol::write_lease(State& n, Byte i, Byte slow) const {
  Instance& a = n.instances[i];
  const bool entitled = a.life == Life::running &&
                        (a.poll_entitled != 0 || (mutated(Mutation::lease_from_an_earlier_poll) &&
                                                  a.join == Join::acknowledged));
  if (entitled && !mutated(Mutation::lease_before_the_shards)) {
    const unsigned left = static_cast<unsigned>(a.bound - a.poll_age);
    a.lease = static_cast<Byte>(left == 0 ? 0 : left + slow);
    a.lease_l2 = a.lease;
    if (world_.refresh_bound != 0 && !mutated(Mutation::reaper_without_the_self_fence)) {
      a.lease = std::min(a.lease, a.refresh_left);
      a.lease_l2 = mutated(Mutation::refresh_gates_l1_only) ? a.lease_l2 : a.lease;
    }
    a.lease_l2 = world_.redis ? a.lease_l2 : Byte{0};
  }
  end_poll(a);
  return entitled ? Step::lease_written : Step::lease_denied;
}

// The shard, in one critical section.
Step Protocol::apply_poll(State& n, Byte i, Byte lease_before) const {
  Instance& a = n.instances[i];
  if (a.answer_bound != a.bound) {  // other times than its own: it stops
    a.life = Life::gone;
    a.lease = a.lease_l2 = a.l1 = 0;
    n.database.row[i] = 0;
    end_poll(a);
    return Step::instance_stops;
  }
  if (mutated(Mutation::lease_before_the_shards) && a.poll_entitled != 0 &&
      lease_before < a.bound - a.poll_age) {
    a.lease = static_cast<Byte>(a.bound - a.poll_age);
    return Step::lease_written;  // the shard comes with the next step
  }
  const bool new_name = a.answer_name != a.name;
  const bool flush = a.poll == Poll::emptied || a.answer_fresh != 0 || new_name ||
                     a.answer_flush != 0 || a.answer.top() < a.applied.top();
  if (flush) {
    if (mutated(Mutation::base_set_after_emptying) && a.poll != Poll::emptied) {
      a.log = {};
      a.l1 = 0;
      a.poll = Poll::emptied;
      return Step::poll_emptied;
    }
    if (a.poll != Poll::emptied) {
      a.l1 = 0;
    }
    a.base = a.answer_marked != 0 ? n.database.mark : a.answer;
    a.log = a.answer_marked != 0 ? a.answer_changes : Xids{};
    keep_own_writes(n, i);
    if (new_name && a.name != 0) {  // join anew, under a new id
      a.join = Join::out;
      a.poll_entitled = 0;
    }
    a.acknowledged = new_name ? Holds{} : a.acknowledged;
    a.name = a.answer_name;
    a.fresh = a.answer_fresh != 0 ? Byte{0} : a.fresh;
  } else {
    a.log = a.log | a.answer_changes;
  }
  a.holds = a.answer_holds;
  a.acknowledged = (a.acknowledged & a.holds) - a.answer_new_holds;
  a.applied = a.answer;
  a.poll = Poll::applied;
  for (Byte w = 0; w < kWriters; ++w) {
    const Writer& writer = n.writers[w];
    const bool over =
        writer.phase == Phase::unknown || mutated(Mutation::unknown_outcome_ends_the_hold);
    if (a.local.has(w) && (writer.name == a.name ? a.applied.has(writer.xid) : over)) {
      a.local.remove(w);  // settled, or unknown in a namespace that is over
    }
  }
  if ((!flush && !a.answer_changes.empty()) || held(a)) {
    a.l1 = 0;
  }
  return flush ? Step::poll_flushed : Step::poll_applied;
}

// Mode bounded: the answer of the poll may be older than a write of this instance that is answered.
void Protocol::keep_own_writes(State& n, Byte i) const {
  Instance& a = n.instances[i];
  for (unsigned w = 0; w < kWriters; ++w) {
    const Writer& writer = n.writers[w];
    const WriterPlan& plan = world_.writers[w];
    if (plan.used && plan.bounded && plan.home == i && writer.phase == Phase::written &&
        incarnation_of(writer.name) == incarnation_of(a.answer_name) && !a.answer.has(writer.xid) &&
        !mutated(Mutation::flush_forgets_own_writes)) {
      a.log.add(writer.xid);
    }
  }
}

void Protocol::acknowledgements(const State& s, Byte i, Out& out) const {
  const Instance& a = s.instances[i];
  const Database& d = s.database;
  if (a.ack == Ack::idle && a.life == Life::running && a.link == Link::up) {
    const bool early = mutated(Mutation::acknowledged_when_received) && a.poll == Poll::received;
    const Holds news = early ? a.answer_new_holds : a.holds - a.acknowledged;
    if (a.join == Join::acknowledged && !news.empty() && (early || a.poll == Poll::idle)) {
      Instance& b = out.add(s, {.step = Step::ack_sent, .who = i}).instances[i];
      b.ack = Ack::sent;
      b.ack_seen = early ? a.answer : a.applied;
      b.acknowledged = a.acknowledged | news;
    }
  } else if (a.ack == Ack::sent) {
    if (d.row[i] != a.generation) {
      Instance& b = out.add(s, {.step = Step::ack_refused, .who = i}).instances[i];
      b.ack = Ack::refused;
      b.ack_seen = {};
    } else {
      State& n = out.add(s, {.step = Step::ack_inserted, .who = i});
      Database& e = n.database;
      e.ack_of[i] = a.generation;
      e.ack_seen[i] = a.ack_seen;
      e.ack_xid[i] = e.next_xid;  // not used up: nobody asks whether it is visible
      n.instances[i].ack = Ack::idle;
      n.instances[i].ack_seen = {};
    }
  } else if (a.ack == Ack::refused) {
    Instance& b = out.add(s, {.step = Step::expelled, .who = i}).instances[i];
    b.ack = Ack::idle;
    b.join = Join::out;
    b.fresh = 1;
  }
}

// Housekeeping: one mark, one purge.
void Protocol::marks(const State& s, Out& out) const {
  const Database& d = s.database;
  if (world_.marks && d.mark_of == 0 && d.name() != 0) {
    Database& e = out.add(s, {.step = Step::mark_taken}).database;
    e.mark = d.ended;
    e.mark_of = d.name();
  }
  if (world_.purge && d.mark_of != 0 && d.purged == 0 && d.mark_of == d.name()) {
    Database& e = out.add(s, {.step = Step::purged}).database;
    e.changes = d.changes - (d.mark & d.committed);
    e.purged = 1;
  }
}

}  // namespace um::model
