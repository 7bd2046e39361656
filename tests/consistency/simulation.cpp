#include "consistency/simulation.hpp"

#include "consistency/sim_instance.hpp"

namespace um::sim {

Report run(const Scenario& scenario) {
  World world{scenario};
  world.run();
  Report report{.violations = world.history.violations(), .evidence = world.evidence};
  for (std::string& lie : world.lies) report.violations.push_back(std::move(lie));
  return report;
}

}  // namespace um::sim
