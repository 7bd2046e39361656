// The metrics of what instances share: Redis, and the limits on guessing.
#pragma once

#include "app/service_stats.hpp"
#include "ops/metrics_page.hpp"

namespace um {

// Nothing where nothing is shared.
void add_shared_metrics(MetricsPage& page, const ServiceStats& stats);

}  // namespace um
