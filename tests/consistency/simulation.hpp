// run(): one simulated history, checked. See sim_world.hpp.
#pragma once

#include <string>
#include <vector>

#include "consistency/sim_scenario.hpp"

namespace um::sim {

struct Report {
  std::vector<std::string> violations;
  Evidence evidence;
};

Report run(const Scenario& scenario);

}  // namespace um::sim
