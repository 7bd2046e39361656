// Facts, admission and reads: sections 4 and 5.
#include <algorithm>

#include "consistency/model/protocol.hpp"

namespace um::model {

bool Protocol::held(const Instance& a) const {
  return !(a.holds & hold_rows_of_key(world_.watched)).empty() || !a.local.empty();
}

bool Protocol::admissible(const Instance& a, Namespace name, Xids seen) const {
  return mutated(Mutation::fills_without_admission) ||
         (name == a.name && !held(a) && seen.contains(a.log) &&
          (seen.contains(a.base) || mutated(Mutation::admission_ignores_the_base)));
}

Byte Protocol::floor_of(const State& s, Byte i) const {
  return std::max(s.floor, s.instances[i].own_floor);
}

void Protocol::answer(State& s, Byte i, Byte floor, Byte version) const {
  if (version < floor) {
    s.violation = version < s.instances[i].own_floor && version >= s.floor
                      ? Violation::own_write_missed
                      : Violation::stale_read;
  }
  const bool bounded =
      std::ranges::any_of(world_.writers, [](const WriterPlan& plan) { return plan.bounded; });
  if (!bounded && !world_.foreign_writes) {
    s.floor = std::max(s.floor, version);
  }
}

// A query of the primary. Its result may take any time to arrive.
void Protocol::fills(const State& s, Byte i, Out& out) const {
  const Instance& a = s.instances[i];
  const bool asks = a.life == Life::running && a.fill == 0 && s.database.name() != 0;
  if (asks && !world_.slow_fills) {
    if (admissible(a, s.database.name(), s.database.ended)) {
      Instance& b = out.add(s, {.step = Step::fill_admitted, .who = i}).instances[i];
      b.l1 = static_cast<Byte>(s.database.version + 1);
    } else {
      out.add(s, {.step = Step::fill_refused, .who = i});
    }
  } else if (asks && a.l1 != s.database.version + 1) {
    State& n = out.add(s, {.step = Step::fill_queried, .who = i});
    Instance& b = n.instances[i];
    b.fill = 1;
    b.fill_seen = s.database.ended;
    b.fill_version = s.database.version;
    b.fill_name = s.database.name();
  }
  if (a.fill == 0) {
    return;
  }
  const bool admitted = admissible(a, a.fill_name, a.fill_seen);
  Step step = admitted ? Step::fill_admitted : Step::fill_refused;
  State n = s;
  Instance& b = n.instances[i];
  b.l1 = admitted ? static_cast<Byte>(a.fill_version + 1) : a.l1;
  b.fill = b.fill_version = b.fill_name = 0;
  b.fill_seen = {};
  const Reader& r = s.reader;
  if (r.at == Reader::At::following && r.instance == i) {
    const bool served = mutated(Mutation::naive_single_flight) ||
                        ((r.valid != 0 || mutated(Mutation::follower_without_a_valid_lease)) &&
                         (admitted || mutated(Mutation::follower_of_an_inadmissible_result)));
    step = served ? Step::follower_served : Step::follower_turned_away;
    n.reader = {};  // turned away, it gets a query from after it joined
    if (served) {
      answer(n, i, r.floor, a.fill_version);
    }
  }
  out.add(n, {.step = step, .who = i});
}

void Protocol::reads(const State& s, Byte i, Out& out) const {
  const Instance& a = s.instances[i];
  const Byte floor = floor_of(s, i);
  const bool lease = a.lease != 0;
  if (lease && a.l1 != 0 && !held(a)) {
    const bool during = !(s.database.holds & hold_rows_of_key(world_.watched)).empty();
    State& n = out.add(s, {.step = during ? Step::hit_during_hold : Step::hit, .who = i});
    answer(n, i, floor, static_cast<Byte>(a.l1 - 1));
  } else if (lease && a.l1 != 0) {
    out.add(s, {.step = Step::hit_own_hold, .who = i});
  }
  if (!world_.outsider && (!lease || held(a)) && s.floor < s.database.version) {
    out.add(s, {.step = Step::primary_read, .who = i}).floor = s.database.version;
  }

  // The same in two steps, between which the process may be stopped. Only a read with a floor can
  // go wrong.
  const Reader& r = s.reader;
  if (r.at == Reader::At::none && floor != 0 && a.life == Life::running) {
    if (mutated(Mutation::look_up_before_the_lease_check) && a.l1 != 0 && !held(a)) {
      out.add(s, {.step = Step::reader_checks, .who = i}).reader = {
          .at = Reader::At::looked, .instance = i, .floor = floor, .valid = 0, .version = a.l1};
    } else if (lease && world_.split_reads) {
      out.add(s, {.step = Step::reader_checks, .who = i}).reader = {
          .at = Reader::At::checked, .instance = i, .floor = floor, .valid = 1, .version = 0};
    }
    if (world_.single_flight && a.fill != 0 && (!lease || a.l1 == 0 || held(a))) {
      out.add(s, {.step = Step::follower_joins, .who = i}).reader = {
          .at = Reader::At::following,
          .instance = i,
          .floor = floor,
          .valid = static_cast<Byte>(lease ? 1 : 0),
          .version = 0};
    }
  }
  if (r.instance != i) {
    return;
  }
  if (r.at == Reader::At::looked) {
    State& n = out.add(s, {.step = lease ? Step::reader_answers : Step::reader_too_late, .who = i});
    n.reader = {};
    if (lease) {
      answer(n, i, r.floor, static_cast<Byte>(r.version - 1));
    }
  } else if (r.at == Reader::At::checked) {
    const bool there = a.l1 != 0 && !held(a);
    State& n = out.add(s, {.step = there ? Step::reader_answers : Step::reader_too_late, .who = i});
    n.reader = {};
    if (there) {
      answer(n, i, r.floor, static_cast<Byte>(a.l1 - 1));
    }
  }
}

// One fact, which Redis may keep for ever. Any instance stores it.
void Protocol::redis(const State& s, Byte i, Out& out) const {
  const Instance& a = s.instances[i];
  const Database& d = s.database;
  if (!world_.redis) {
    return;
  }
  if (d.fact_of == 0 && d.name() != 0) {
    Database& e = out.add(s, {.step = Step::fact_stored, .who = i}).database;
    e.fact_of = d.name();
    e.fact_seen = d.ended;
    e.fact_version = d.version;
  }
  if (d.fact_of == 0) {
    return;
  }
  const bool good = admissible(a, d.fact_of, d.fact_seen);
  const auto use = [&](Byte floor, Step step) {
    State& n = out.add(s, {.step = good ? step : Step::fact_refused, .who = i});
    if (s.reader.at == Reader::At::checked && step == Step::reader_answers) {
      n.reader = {};
    }
    if (good) {
      n.instances[i].l1 = static_cast<Byte>(d.fact_version + 1);
      answer(n, i, floor, d.fact_version);
    }
  };
  if (a.lease_l2 != 0 && !held(a) && (a.l1 == 0 || a.lease == 0)) {
    use(floor_of(s, i), Step::l2_hit);
  }
  if (s.reader.at == Reader::At::checked && s.reader.instance == i && a.l1 == 0) {
    use(s.reader.floor, Step::reader_answers);
  }
}

}  // namespace um::model
