// run(): simulates the real Coherence and Flight over a simulated database.
#pragma once

#include "consistency/sim_world.hpp"

namespace um::sim {

struct Report {
  std::vector<std::string> violations;
  Evidence evidence;
};

Report run(const Scenario& scenario);

}  // namespace um::sim
