#include "consistency/simulation.hpp"

#include <algorithm>
#include <array>

#include "consistency/sim_pollers.hpp"
#include "consistency/sim_reader.hpp"
#include "consistency/sim_writers.hpp"

namespace um::sim {
namespace {

// Small bounds, so that full logs and too many changes are frequent.
CoherenceSettings settings() {
  return {.staleness_bound = std::chrono::nanoseconds{kT},
          .capacity_bytes = 64 << 10,
          .shards = 2,
          .max_log_entries = 12,
          .max_poll_changes = 8};
}

using Actors = std::vector<std::unique_ptr<Actor>>;

Actors cast_of(World& world) {
  constexpr int kReaders = 4;
  Actors actors;
  for (auto& each : world.instances) {
    Instance& instance = *each;
    for (int i = 0; i < kReaders; ++i) actors.push_back(std::make_unique<Reader>(instance));
    switch (world.scenario.setup) {
      case Setup::sqlite:
        actors.push_back(std::make_unique<SqlitePoller>(instance));
        for (int i = 0; i < 2; ++i) actors.push_back(std::make_unique<SqliteWriter>(instance));
        break;
      case Setup::postgres_bounded:
        actors.push_back(std::make_unique<PostgresPoller>(instance));
        for (int i = 0; i < 2; ++i) actors.push_back(std::make_unique<BoundedWriter>(instance));
        break;
      case Setup::postgres_strict:
        actors.push_back(std::make_unique<PostgresPoller>(instance));
        actors.push_back(std::make_unique<StrictWriter>(instance));
    }
  }
  if (world.scenario.foreign_writes) actors.push_back(std::make_unique<ForeignWriter>());
  if (world.scenario.crashes) actors.push_back(std::make_unique<Crasher>());
  if (world.scenario.purges)
    for (int i = 0; i < 4; ++i) actors.push_back(std::make_unique<Purger>());
  return actors;
}

void collect(World& world) {
  for (const auto& instance : world.instances) {
    const auto stats = instance->coherence.stats(boot_time(world.now));
    world.evidence.holds += stats.holds;
    world.evidence.lapsed_leases += stats.lapsed_leases;
    for (const auto refused : stats.refused) world.evidence.refused += refused;
    world.evidence.held_refusals += stats.refused[static_cast<std::size_t>(Admission::held)];
    for (const auto& [reason, count] : stats.flushes) world.evidence.flushes += count;
  }
}

}  // namespace

void Evidence::add(const Evidence& other) {
  hits += other.hits;
  holds += other.holds;
  lapsed_leases += other.lapsed_leases;
  refused += other.refused;
  held_refusals += other.held_refusals;
  followers += other.followers;
  turned_away += other.turned_away;
  flushes += other.flushes;
  purged_unseen += other.purged_unseen;
  bases += other.bases;
  reads += other.reads;
  writes += other.writes;
}

Instance::Instance(std::size_t n) : number{n}, coherence{settings(), {.k0 = 1, .k1 = 2}} {}

World::World(const Scenario& s)
    : scenario{s},
      random{s.seed},
      between_writes{std::array<Time, 3>{300, 1500, 6000}[random() % 3]},
      one_poll_in_fails{std::array<std::uint64_t, 2>{25, 4}[random() % 2]} {
  const std::size_t count = scenario.setup == Setup::sqlite ? 1 : 2;
  for (std::size_t i = 0; i < count; ++i) instances.push_back(std::make_unique<Instance>(i));
}

Time World::delay() {
  const auto kind = random() % 100;
  const Time longest = kind < 85 ? 30 : kind < 97 ? kT / 2 : 5 * kT / 2;
  return 1 + static_cast<Time>(random() % static_cast<std::uint64_t>(longest));
}

Report run(const Scenario& scenario) {
  World world{scenario};
  const Actors actors = cast_of(world);
  for (int i = 0; i < scenario.steps; ++i) {
    Actor& next =
        **std::ranges::min_element(actors, {}, [](const auto& actor) { return actor->ready_at; });
    world.now = std::max(world.now + 1, next.ready_at);
    next.step(world);
  }
  collect(world);
  return {.violations = world.history.violations(), .evidence = world.evidence};
}

}  // namespace um::sim
