// World: the state of one simulated run. One thread; a seed determines the order of all steps, so a
// failed run can be repeated.
//
// Actors are readers, writers and pollers. A step happens at one instant. Between two steps of an
// actor any number of other steps may happen, because each step ends with a delay: mostly short,
// sometimes as long as T, sometimes longer.
#pragma once

#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "async/single_flight.hpp"
#include "cache/coherence.hpp"
#include "consistency/sim_database.hpp"

namespace um::sim {

inline constexpr Time kT = 1000;
inline constexpr Time kNever = std::numeric_limits<Time>::max();
inline BootTime boot_time(Time time) {
  return BootTime{std::chrono::nanoseconds{time}};
}

// The database below the instances, and the promise about writes.
enum class Setup {
  sqlite,            // one instance; hold, commit, settle; foreign commits by data_version
  postgres_bounded,  // commits are followed by polls; the writing instance sees its own at once
  postgres_strict,   // hold rows, wait, commit (section 6)
};

// Each mutation breaks one rule of the protocol. The simulation has to notice every one.
enum class Mutation {
  none,
  look_up_before_lease_check,
  fills_without_admission,
  naive_single_flight,
  verdict_before_the_flight_is_closed,
  commit_without_a_hold,
  own_commit_not_logged,
  base_set_after_the_emptying,
  foreign_commit_keeps_the_namespace,
  writer_does_not_wait,
  commit_wait_answer_without_a_hold,
  incarnation_kept_over_a_crash,
  poll_below_xmin,
  purged_by_number,
  base_behind_the_horizon,
};

struct Scenario {
  Setup setup = Setup::sqlite;
  Mutation mutation = Mutation::none;
  std::uint64_t seed = 1;
  bool crashes = false;
  bool foreign_writes = true;
  bool purges = false;
  int steps = 2500;
};

// Counters that must not be 0: otherwise the run proves nothing.
struct Evidence {
  std::uint64_t hits = 0;
  std::uint64_t holds = 0;
  std::uint64_t lapsed_leases = 0;
  std::uint64_t refused = 0;
  std::uint64_t held_refusals = 0;
  std::uint64_t followers = 0;
  std::uint64_t turned_away = 0;
  std::uint64_t flushes = 0;
  std::uint64_t purged_unseen = 0;
  std::uint64_t bases = 0;
  std::uint64_t reads = 0;
  std::uint64_t writes = 0;

  void add(const Evidence& other);
};

class Reader;

struct Instance {
  explicit Instance(std::size_t number);
  std::size_t number;
  Coherence coherence;
  std::map<std::string, Flight<Reader*>> flights;
  bool writer_thread_busy = false;  // SQLite: polls and commits take turns
};

class World {
 public:
  explicit World(const Scenario& scenario);

  bool mutated(Mutation mutation) const { return scenario.mutation == mutation; }
  bool one_in(std::uint64_t n) { return random() % n == 0; }
  Time delay();
  const std::string& any_key() { return keys[random() % keys.size()]; }

  const Scenario scenario;
  std::mt19937_64 random;
  // Different in every run: some mistakes show only when there is little other activity.
  const Time between_writes;
  const std::uint64_t one_poll_in_fails;
  Time now = 1;
  const std::vector<std::string> keys{"user:1", "user:2"};
  SimDatabase database;
  std::vector<std::unique_ptr<Instance>> instances;
  test::History history{{.staleness = std::chrono::nanoseconds{kT}}};
  Evidence evidence;
};

class Actor {
 public:
  virtual ~Actor() = default;
  // Does one step at world.now and sets ready_at to the earliest time of the next.
  virtual void step(World& world) = 0;
  Time ready_at = 0;
};

}  // namespace um::sim
