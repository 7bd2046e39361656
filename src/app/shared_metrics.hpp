// The metrics of what instances share: Redis, and the limits on guessing.
#pragma once

#include "app/application_stats.hpp"
#include "telemetry/metrics_page.hpp"

namespace um {

// Nothing where nothing is shared.
void add_shared_metrics(MetricsPage& page, const ServiceStats& stats);

}  // namespace um
