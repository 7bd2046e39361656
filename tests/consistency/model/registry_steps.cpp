// The registry of instances: section 7.
#include <algorithm>

#include "consistency/model/protocol.hpp"

namespace um::model {
namespace {

bool somebody_writes_alone(const State& s) {
  return std::ranges::any_of(s.writers, [](const Writer& w) {
    return w.way == Way::alone &&
           ((w.phase >= Phase::b_fenced && w.phase <= Phase::b_updated) || w.fate == Fate::open);
  });
}

}  // namespace

// The EXCLUSIVE lock waits for open transactions with a ROW SHARE lock.
bool Protocol::may_join(const State& s, Byte i) const {
  return world_.joins == i && s.instances[i].generation < world_.most_ids &&
         s.instances[i].life == Life::running && s.instances[i].link == Link::up &&
         s.database.joining == 0 &&
         (!somebody_writes_alone(s) || mutated(Mutation::alone_without_the_lock));
}

Byte Protocol::next_generation(const Instance& a) const {
  const bool keep = mutated(Mutation::join_under_the_former_id) && a.generation != 0;
  return static_cast<Byte>(a.generation + (keep ? 0 : 1));
}

void Protocol::joins(const State& s, Byte i, Out& out) const {
  const Instance& a = s.instances[i];
  if (a.join == Join::out && may_join(s, i) && (a.poll == Poll::idle || a.generation == 0)) {
    State& n = out.add(s, {.step = Step::join_locked, .who = i});
    Instance& b = n.instances[i];
    b.join = Join::locked;
    b.lease = b.lease_l2 = 0;
    b.generation = next_generation(a);
    b.acknowledged = {};
    b.ack = Ack::idle;
    b.ack_seen = {};
    b.poll_entitled = mutated(Mutation::polls_before_it_registers) ? b.poll_entitled : Byte{0};
    b.refresh_left = world_.refresh_bound;
    n.database.joining = static_cast<Byte>(i + 1);
  } else if (a.join == Join::locked) {
    State& n = out.add(s, {.step = Step::join_inserted, .who = i});
    n.instances[i].join = Join::inserted;
    n.database.row[i] = a.generation;
    n.database.joining = 0;
    n.reaper.changed =
        world_.reaped == i && n.reaper.at != Reaper::At::none ? Byte{1} : n.reaper.changed;
  } else if (a.join == Join::inserted) {
    State& n = out.add(s, {.step = Step::join_acknowledged, .who = i});
    n.instances[i].join = Join::acknowledged;
  }
}

void Protocol::refreshes(const State& s, Byte i, Out& out) const {
  const Instance& a = s.instances[i];
  if (world_.refresh_bound == 0) {
    return;
  }
  switch (a.refresh) {
    case Refresh::idle:
      if (a.join == Join::acknowledged && a.life == Life::running && a.link == Link::up &&
          a.refresh_left < world_.refresh_bound) {
        out.add(s, {.step = Step::refresh_sent, .who = i}).instances[i].refresh = Refresh::sent;
      }
      break;
    case Refresh::sent: {
      const bool there = s.database.row[i] == a.generation;
      State& n = out.add(s, {.step = there ? Step::refresh_done : Step::refresh_missed, .who = i});
      n.instances[i].refresh = there ? Refresh::done : Refresh::missed;
      if (there && world_.reaped == i && n.reaper.at != Reaper::At::none) {
        n.reaper.changed = 1;
      }
      break;
    }
    case Refresh::done:
    case Refresh::missed: {
      Instance& b = out.add(s, {.step = Step::refresh_heard, .who = i}).instances[i];
      if (a.refresh == Refresh::missed) {
        b.join = Join::out;
        b.fresh = 1;
      } else {
        b.refresh_left = static_cast<Byte>(world_.refresh_bound - a.refresh_age);
      }
      b.refresh = Refresh::idle;
      b.refresh_age = 0;
      break;
    }
  }
}

void Protocol::leaves(const State& s, Byte i, Out& out) const {
  const Instance& a = s.instances[i];
  if (world_.leaves != i || a.join != Join::acknowledged || a.link != Link::up) {
    return;
  }
  const bool row_first = mutated(Mutation::row_deleted_before_the_lease_ends);
  if (a.life == Life::running || a.life == Life::leaving) {
    const bool first = a.life == Life::running;
    const bool row = first == row_first;
    State& n = out.add(s, {.step = row ? Step::row_deleted : Step::lease_ended, .who = i});
    Instance& b = n.instances[i];
    b.life = first ? Life::leaving : Life::gone;
    if (row) {
      n.database.row[i] = 0;
    } else {
      b.lease = b.lease_l2 = 0;
    }
  }
}

void Protocol::reaper(const State& s, Out& out) const {
  if (world_.losses != 0) {
    for (Byte i = 0; i < kInstances; ++i) {
      const Instance& a = s.instances[i];
      if (s.losses_left != 0 && world_.roles[i] == Role::full && a.life == Life::running &&
          a.link == Link::up) {
        State& n = out.add(s, {.step = Step::session_ends, .who = i});
        --n.losses_left;
        Instance& b = n.instances[i];
        b.link = Link::lost;
        if (a.poll == Poll::sent) {
          b.poll = Poll::idle;
          b.poll_age = b.poll_entitled = 0;
        }
        if (a.join == Join::locked) {
          b.join = Join::out;
          n.database.joining = 0;
        }
        b.ack = Ack::idle;
        b.ack_seen = {};
        if (world_.quick_reap && world_.reaped == i && n.database.row[i] != 0) {
          n.reaper = {.at = Reaper::At::waiting,
                      .left = static_cast<Byte>(mutated(Mutation::quick_reap_at_once)
                                                    ? 0
                                                    : world_.bound + world_.epsilon),
                      .changed = 0,
                      .generation = 0};
        }
      }
    }
  }
  if (world_.reaped < 0) {
    return;
  }
  const auto i = static_cast<Byte>(world_.reaped);
  switch (s.reaper.at) {
    case Reaper::At::none:
      if (world_.reap_after != 0 && s.database.row[i] != 0) {
        State& n = out.add(s, {.step = Step::reaper_lists, .who = i});
        n.reaper = {.at = Reaper::At::listed, .left = 0, .changed = 0, .generation = 0};
      }
      break;
    case Reaper::At::listed: {
      State& n = out.add(s, {.step = Step::reaper_waits, .who = i});
      n.reaper.at = Reaper::At::waiting;
      n.reaper.left = world_.reap_after;
      break;
    }
    case Reaper::At::waiting:
      if (s.reaper.left == 0) {
        const bool silent = s.reaper.changed == 0;
        State& n = out.add(
            s, {.step = silent ? Step::reaper_deletes : Step::reaper_turned_away, .who = i});
        n.database.row[i] = silent ? Byte{0} : n.database.row[i];
        n.reaper = {};
      }
      break;
  }
}

// An instance with no cache of interest. Its poll, with all that follows, is one step: nobody reads
// its memory, so a slow poll of it is a later poll.
void Protocol::member(const State& s, Byte i, Out& out) const {
  const Instance& a = s.instances[i];
  const Database& d = s.database;
  if (a.life != Life::running) {
    return;
  }
  if (d.name() == 0) {
    State& n = out.add(s, {.step = Step::incarnation_made, .who = i});
    ++n.database.incarnation;
    n.database.has_incarnation = 1;
    return;
  }
  if (a.first_name != d.name()) {
    Instance& b = out.add(s, {.step = Step::member_polls, .who = i}).instances[i];
    b.first_name = d.name();
    b.first_wait = wait_time(d);
    b.link = Link::up;
    b.join = Join::out;
    return;
  }
  if (d.row[i] != 0 && d.row[i] == a.generation) {
    bool news = false;
    for (unsigned row = 0; row < kWriters * kKeys; ++row) {
      news |= d.holds.has(row) && !d.ack_seen[i].has(d.hold_xid[row]);
    }
    if (news) {
      State& n = out.add(s, {.step = Step::ack_inserted, .who = i});
      Database& e = n.database;
      e.ack_of[i] = a.generation;
      e.ack_seen[i] = d.ended;
      e.ack_xid[i] = e.next_xid;
    }
  }
}

}  // namespace um::model
