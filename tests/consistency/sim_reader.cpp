#include "consistency/sim_reader.hpp"

namespace um::sim {

Script<> Reader::run() {
  for (;;) {
    co_await world_.sleep(&me_.host, world_.up_to(world_.between_reads));
    Operation read{.kind = Operation::Kind::read,
                   .key = world_.any_key(),
                   .begin = boot_time(world_.now()),
                   .instance = me_.number};
    const std::optional<Version> version = co_await this->read(read.key);
    co_await me_.pause();
    if (!version) continue;
    read.version = *version;
    read.end = boot_time(world_.now());
    world_.tell("instance", me_.number, "read", read.key, "begun at",
                in_microseconds(read.begin.time_since_epoch()), "version", read.version);
    world_.history.add(std::move(read));
    ++world_.evidence.reads;
  }
}

Script<std::optional<Version>> Reader::read(const std::string& key) {
  const BootTime clock_read = me_.clock();
  if (world_.one_in(12)) {  // a list or a search: it uses no cache, but clients see its result
    const auto listed = co_await fetch(key);
    if (!listed) co_return std::nullopt;
    co_return listed->version;
  }
  const bool from_primary_only = world_.one_in(16);
  const bool wrong_order = world_.mutated(Mutation::look_up_before_lease_check);
  co_await me_.pause();
  std::optional<L1Value> remembered;
  if (wrong_order) {
    remembered = me_.coherence.look_up(key);
    co_await me_.pause();
  }
  const bool leased = me_.coherence.lease_valid(clock_read);
  if (!wrong_order) {
    co_await me_.pause();
    if (leased) remembered = me_.coherence.look_up(key);
  }
  if (leased && !from_primary_only) {
    if (remembered) {
      ++world_.evidence.hits;
      if (world_.postgres.holds_anything()) ++world_.evidence.hits_during_holds;
      world_.tell("instance", me_.number, "has", key, version_of(*remembered), "in memory");
      co_return version_of(*remembered);
    }
    if (!me_.coherence.holds(key)) {
      const std::optional<Version> found = co_await from_l2(key);
      if (found) co_return found;
    }
  }
  const bool may_follow = leased && !from_primary_only;
  const std::optional<Version> asked = co_await from_primary(key, may_follow);
  co_return asked;
}

Script<std::optional<Version>> Reader::from_l2(const std::string& key) {
  if (world_.scenario.deployment == Deployment::sqlite || world_.one_in(2)) co_return std::nullopt;
  co_await me_.pause();
  const std::optional<Fact> fact = world_.redis.get(key, world_.random());
  co_await me_.pause();
  if (!fact) co_return std::nullopt;
  const Fetched fetched{.version = version_of(fact->value), .read_in = fact->read_in};
  if (!admit(key, fetched)) co_return std::nullopt;
  ++world_.evidence.l2_hits;
  co_return fetched.version;
}

Script<std::optional<Version>> Reader::from_primary(const std::string& key, bool may_follow) {
  using Verdict = Flight<Reader*>::Verdict;
  const bool naive = world_.mutated(Mutation::naive_single_flight);
  leads_ = false;
  given_.reset();
  auto& flight = me_.flights[key];
  const auto seat = flight.join(this, may_follow || naive ? MayFollow::yes : MayFollow::no);
  if (seat == Flight<Reader*>::Seat::leader) leads_ = true;
  while (!leads_ && !given_) {
    co_await me_.wait_for(news_, kNever);
    news_.take();
  }
  if (!leads_) {
    co_await me_.pause();
    co_return given_;
  }
  const std::optional<Fetched> fetched = co_await fetch(key);
  if (!fetched || world_.one_in(16)) {  // no answer in time, or cancelled
    deliver(flight.abandon(), 0);
    co_return std::nullopt;
  }
  bool admitted = false;
  if (world_.mutated(Mutation::verdict_before_the_flight_is_closed)) {
    admitted = admit(key, *fetched);
    co_await me_.pause();
  } else {
    admitted = admit(key, *fetched);
  }
  const auto verdict = admitted || naive ? Verdict::admissible : Verdict::not_admissible;
  deliver(flight.land(verdict), fetched->version);
  put_into_l2(key, *fetched);
  co_return fetched->version;
}

auto Reader::fetch(std::string key) -> Script<std::optional<Fetched>> {
  if (world_.scenario.deployment == Deployment::sqlite) {
    co_await me_.pause();
    const Fetched fetched{.version = world_.sqlite.version(key), .read_in = world_.sqlite.stamp()};
    co_await me_.pause();
    co_return fetched;
  }
  const bool opened = co_await me_.ready(me_.look_ups);
  if (!opened) co_return std::nullopt;
  const Tau tau = me_.look_ups.tau;
  auto statement = [&db = world_.postgres, key, tau] {
    return Fetched{.version = db.version(key), .read_in = {.tau = tau, .snapshot = db.snapshot()}};
  };
  std::optional<Fetched> fetched = co_await me_.run(me_.look_ups, statement);
  co_return fetched;
}

bool Reader::admit(const std::string& key, const Fetched& fetched) {
  Stamp read_in = fetched.read_in;
  if (world_.mutated(Mutation::fills_without_admission)) {
    read_in.snapshot = {.xmax = std::numeric_limits<Xid>::max(), .xip = {}};
    read_in.tau = world_.scenario.deployment == Deployment::sqlite
                      ? world_.sqlite.stamp().tau
                      : tau_of(me_.steps.polls().name_space());
  }
  return me_.coherence.admit(key, read_in, value_of(fetched.version)) == Admission::admitted;
}

// Late, or never.
void Reader::put_into_l2(const std::string& key, const Fetched& fetched) {
  if (world_.scenario.deployment == Deployment::sqlite || fetched.read_in.tau == Tau{}) return;
  if (world_.one_in(8)) return;
  auto put = [](World& at, std::string name, Fetched what) -> Script<> {
    co_await at.sleep(nullptr, at.delay());
    at.redis.put(name, {.value = value_of(what.version), .read_in = what.read_in});
  };
  world_.spawn(put(world_, key, fetched));
}

void Reader::deliver(const Flight<Reader*>::Landing& landing, Version version) {
  world_.evidence.followers += landing.served.size();
  world_.evidence.turned_away += landing.turned_away;
  for (Reader* reader : landing.served) {
    reader->given_ = version;
    reader->news_.ring();
  }
  if (!landing.next_leader) return;
  (*landing.next_leader)->leads_ = true;
  (*landing.next_leader)->news_.ring();
}

}  // namespace um::sim
