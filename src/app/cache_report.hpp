// The answer to GET /cache/stats.
#pragma once

#include <string>

#include "app/application_stats.hpp"

namespace um {

// A JSON object: hits by level, misses, refusals, evictions, bytes, lease, holds, database reads.
std::string render_cache_report(const ServiceStats& stats);

}  // namespace um
