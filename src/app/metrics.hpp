// The page behind GET /metrics: every name and label of it, in one place (docs/operations/
// monitoring.md explains what to watch). Names and labels are an interface: dashboards depend on
// them.
#pragma once

#include <string>

#include "app/application_stats.hpp"

namespace um {

// In Prometheus' text format, version 0.0.4.
std::string render_metrics(const ServiceStats& stats);

}  // namespace um
