// World: the state of one simulated run: a database, Redis, instances, and the history that their
// clients see. A seed determines everything, so a failed run can be repeated.
//
// The code of the product runs in it: Coherence, Flight, FeedSteps, FeedDelivery, PostgresPolls,
// SettledWrites, StrictWrite, AckBoard, LostCommit, PostgresReaper. Simulated are what they talk
// to, and the loops that run their steps. Between two steps any number of other steps may happen:
// delays are mostly short, sometimes as long as T, sometimes longer.
#pragma once

#include <iostream>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "consistency/sim_postgres.hpp"
#include "consistency/sim_redis.hpp"
#include "consistency/sim_scenario.hpp"
#include "consistency/sim_sqlite.hpp"
#include "consistency/sim_time.hpp"
#include "support/history.hpp"

namespace um::sim {

using test::Operation;
using test::Promise;

class Instance;

class World {
 public:
  explicit World(const Scenario& scenario);
  ~World();

  bool mutated(Mutation mutation) const { return scenario.mutation == mutation; }
  bool one_in(std::uint64_t n) { return random() % n == 0; }
  Time up_to(Time longest) {
    return 1 + static_cast<Time>(random() % static_cast<std::uint64_t>(longest));
  }
  // Between two steps.
  Time delay();
  const std::string& any_key() { return keys[random() % keys.size()]; }

  Time now() const { return timeline.now(); }
  Wait sleep(const Host* host, Time time) { return timeline.until(host, now() + time); }
  // A script of nobody in particular: of a server, or of the network.
  void spawn(Script<> script);

  // Notifies every instance that listens: late, twice or never.
  void notify_others(std::size_t sender, Signal Instance::* bell);
  void restart(std::size_t instance);
  void run();
  // For a replay: what happens, in the order of time.
  template <class... Parts>
  void tell(const Parts&... parts) const {
    if (!scenario.tells) return;
    std::cerr << now();
    ((std::cerr << ' ' << parts), ...);
    std::cerr << '\n';
  }

  const Scenario scenario;
  std::mt19937_64 random;
  // Different in every run: some mistakes show only when there is little other activity.
  const Time between_reads;
  const Time between_writes;
  const std::uint64_t one_connection_in_breaks;
  const std::uint64_t short_delays;  // of 1000

  Timeline timeline;
  const std::vector<std::string> keys{"user:1", "user:2"};
  SimPostgres postgres;
  SimSqlite sqlite;
  SimRedis redis;
  test::History history;
  std::vector<std::string> lies;  // answers to clients that were not true
  Evidence evidence;
  std::vector<std::unique_ptr<Instance>> instances;
  int next_id = 1;

 private:
  std::vector<Script<>> scripts_;
};

}  // namespace um::sim
