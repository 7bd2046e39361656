#include "consistency/sim_reader.hpp"

namespace um::sim {
namespace {

// Versions are stored in L1 as ids, the smallest kind of value; version 0 is an absent row.
L1Value to_value(Version version) {
  if (version == 0) return Absent{};
  return *UserId::from(version);
}
Version to_version(const L1Value& value) {
  const auto* id = std::get_if<UserId>(&value);
  return id != nullptr ? id->value() : 0;
}

}  // namespace

void Reader::step(World& world) {
  ready_at = world.now + world.delay();
  switch (state_) {
    case State::begin:
      return begin(world);
    case State::list:  // a list or a search: it does not use the cache, but clients see its result
      read_.version = world.database.read(read_.key).version;
      state_ = State::answer;
      return;
    case State::first_check:
      return first_check(world);
    case State::second_check:
      return second_check(world);
    case State::join:
      return join(world);
    case State::ask:
      row_ = world.database.read(read_.key);
      state_ = State::arrive;
      return;
    case State::arrive:
      return arrive(world);
    case State::land:
      return land(world);
    case State::wait:
      return;
    case State::answer:
      return answer(world);
  }
}

void Reader::begin(World& world) {
  read_ = {.kind = Operation::Kind::read,
           .key = world.any_key(),
           .begin = boot_time(world.now),
           .instance = instance_.number};
  clock_read_ = world.now;
  from_primary_ = world.one_in(16);
  remembered_.reset();
  state_ = world.one_in(12) ? State::list : State::first_check;
}

void Reader::first_check(World& world) {
  if (world.mutated(Mutation::look_up_before_lease_check))
    look_up();
  else
    leased_ = instance_.coherence.lease_valid(boot_time(clock_read_));
  state_ = State::second_check;
}

void Reader::second_check(World& world) {
  if (world.mutated(Mutation::look_up_before_lease_check))
    leased_ = instance_.coherence.lease_valid(boot_time(clock_read_));
  else if (leased_)
    look_up();
  if (!leased_ || from_primary_ || !remembered_) {
    state_ = State::join;
    return;
  }
  ++world.evidence.hits;
  read_.version = *remembered_;
  state_ = State::answer;
}

void Reader::look_up() {
  const auto value = instance_.coherence.look_up(read_.key);
  if (value) remembered_ = to_version(*value);
}

void Reader::join(World& world) {
  const bool may_follow =
      (leased_ && !from_primary_) || world.mutated(Mutation::naive_single_flight);
  const auto seat =
      instance_.flights[read_.key].join(this, may_follow ? MayFollow::yes : MayFollow::no);
  if (seat == Flight<Reader*>::Seat::leader) {
    state_ = State::ask;
    return;
  }
  state_ = State::wait;
  ready_at = kNever;
}

void Reader::arrive(World& world) {
  if (world.one_in(12)) {  // cancelled
    deliver(world, instance_.flights[read_.key].abandon());
    state_ = State::begin;
    return;
  }
  if (!world.mutated(Mutation::verdict_before_the_flight_is_closed)) return land(world);
  verdict_ = admit(world);
  state_ = State::land;
}

void Reader::land(World& world) {
  using Verdict = Flight<Reader*>::Verdict;
  if (!world.mutated(Mutation::verdict_before_the_flight_is_closed)) verdict_ = admit(world);
  if (world.mutated(Mutation::naive_single_flight)) verdict_ = true;
  const auto verdict = verdict_ ? Verdict::admissible : Verdict::not_admissible;
  deliver(world, instance_.flights[read_.key].land(verdict));
  read_.version = row_.version;
  state_ = State::answer;
}

bool Reader::admit(World& world) {
  Stamp read_in = row_.read_in;
  if (world.mutated(Mutation::fills_without_admission))
    read_in = {.tau = world.database.stamp().tau,
               .snapshot = {.xmax = std::numeric_limits<Xid>::max(), .xip = {}}};
  const auto admission = instance_.coherence.admit(read_.key, read_in, to_value(row_.version));
  return admission == Admission::admitted;
}

void Reader::deliver(World& world, const Flight<Reader*>::Landing& landing) {
  world.evidence.followers += landing.served.size();
  world.evidence.turned_away += landing.turned_away;
  for (Reader* reader : landing.served) {
    reader->read_.version = row_.version;
    reader->wake(world.now + world.delay(), State::answer);
  }
  if (landing.next_leader) (*landing.next_leader)->wake(world.now + world.delay(), State::ask);
}

void Reader::wake(Time at, State next) {
  ready_at = at;
  state_ = next;
}

void Reader::answer(World& world) {
  read_.end = boot_time(world.now);
  world.history.add(read_);
  ++world.evidence.reads;
  state_ = State::begin;
}

}  // namespace um::sim
