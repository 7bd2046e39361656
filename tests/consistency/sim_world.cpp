#include "consistency/sim_world.hpp"

#include <array>

#include "consistency/sim_actors.hpp"
#include "consistency/sim_reader.hpp"
#include "consistency/sim_strict_writer.hpp"

namespace um::sim {
namespace {

constexpr int kReaders = 2;

// A script with the object that it is a function of.
template <class Actor>
Script<> run_one(Instance& instance) {
  Actor actor{instance};
  co_await actor.run();
}

void start(Instance& instance, Script<> script) {
  instance.scripts.push_back(std::move(script));
  instance.scripts.back().start();
}

void start_all(Instance& me) {
  const bool sqlite = me.world.scenario.deployment == Deployment::sqlite;
  if (me.role == Instance::Role::command_line) return start(me, run_one<StrictWriter>(me));
  for (int i = 0; i < kReaders; ++i) start(me, run_one<Reader>(me));
  if (sqlite) {
    start(me, poll_sqlite(me));
    for (int i = 0; i < 2; ++i) start(me, write_to_sqlite(me));
    return;
  }
  me.feed_script.emplace(me.feed());
  me.feed_script->start();
  start(me, me.upkeep());
  start(me, run_one<StrictWriter>(me));
  if (me.number == 0) start(me, run_one<StrictWriter>(me));
}

}  // namespace

World::World(const Scenario& s)
    : scenario{s},
      random{s.seed},
      between_reads{std::array<Time, 3>{20'000, 80'000, 300'000}[random() % 3]},
      between_writes{std::array<Time, 3>{100'000, 400'000, 1'500'000}[random() % 3]},
      one_connection_in_breaks{s.process_faults
                                   ? std::array<std::uint64_t, 3>{1'000'000, 60, 15}[random() % 3]
                                   : 1'000'000},
      short_delays{std::array<std::uint64_t, 3>{850, 960, 995}[random() % 3]},
      postgres{times_of(s.deployment)},
      history{{.staleness = kT + kT / 100}} {
  postgres.hides_older_holds = mutated(Mutation::poll_from_a_mark_shows_only_newer_holds);
  postgres.horizon_by_number = mutated(Mutation::purged_by_number);
  postgres.hides_horizon_at_start = mutated(Mutation::base_behind_the_horizon);
  const std::size_t servers = s.restless ? 2 : 1 + random() % 3;
  const std::size_t count = s.deployment == Deployment::sqlite ? 1 : servers;
  for (std::size_t i = 0; i < count; ++i) {
    instances.push_back(std::make_unique<Instance>(*this, i, Instance::Role::server));
    start_all(*instances.back());
  }
  if (s.deployment == Deployment::sqlite) {
    if (s.foreign_writes) spawn(write_to_sqlite_from_outside(*this));
    return;
  }
  if (one_in(4)) {
    instances.push_back(std::make_unique<Instance>(*this, count, Instance::Role::command_line));
    start_all(*instances.back());
  }
  spawn(work_in_another_database(*this));
  if (s.foreign_writes) spawn(write_from_outside(*this));
  if (s.purges)
    for (int i = 0; i < 3; ++i) spawn(purge(*this));
  if (s.database_faults) spawn(break_the_database(*this));
  if (s.process_faults)
    for (std::size_t i = 0; i < count; ++i) spawn(break_the_process(*this, i));
}

World::~World() {
  scripts_.clear();
  instances.clear();
}

Time World::delay() {
  const auto kind = random() % 1000;
  const Time longest = kind < short_delays             ? kStaleness / 50
                       : kind < 800 + short_delays / 5 ? kStaleness / 2
                                                       : 5 * kStaleness / 2;
  return up_to(longest);
}

void World::spawn(Script<> script) {
  std::erase_if(scripts_, [](const Script<>& other) { return other.done(); });
  scripts_.push_back(std::move(script));
  scripts_.back().start();
}

void World::notify_others(std::size_t sender, Signal Instance::* bell) {
  auto deliver = [](World& world, std::size_t to, Signal Instance::* what) -> Script<> {
    do {
      co_await world.sleep(nullptr, world.delay());
      Instance& instance = *world.instances[to];
      if (instance.is_open(instance.feed_connection)) (instance.*what).ring();
    } while (world.one_in(10));
  };
  for (std::size_t i = 0; i < instances.size(); ++i)
    if (i != sender && !one_in(8)) spawn(deliver(*this, i, bell));
}

void World::restart(std::size_t number) {
  instances[number]->collect_evidence();
  instances[number].reset();
  instances[number] = std::make_unique<Instance>(*this, number, Instance::Role::server);
  instances[number]->host.stopped_until = now() + (one_in(2) ? delay() : up_to(3 * kStaleness));
  start_all(*instances[number]);
}

void World::run() {
  for (int i = 0; i < scenario.steps; ++i) timeline.step();
  for (const auto& instance : instances) instance->collect_evidence();
}

}  // namespace um::sim
