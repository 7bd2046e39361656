// ApplicationStats: the counters of every part of the process, read at one moment, and their two
// pages.
#pragma once

#include <optional>
#include <string>

#include "api/request_stats.hpp"
#include "app/redis_parts.hpp"
#include "auth/attempts/local_attempt_limiter.hpp"
#include "auth/attempts/stored_attempt_limiter.hpp"
#include "auth/passwords/password_hasher.hpp"
#include "auth/tokens/token_authority.hpp"
#include "base/database_times.hpp"
#include "cache/cache_stats.hpp"
#include "drivers/http/server.hpp"
#include "service/sign_in.hpp"
#include "storage/storage.hpp"

namespace um {

// The promise of this instance, for monitors that measure it.
struct PromiseStats {
  Consistency consistency = Consistency::strict;
  std::chrono::milliseconds staleness_bound{500};
};

struct ApplicationStats {
  PromiseStats promise{};
  api::RequestStats requests{};
  http::ServerStats server{};
  CacheStats cache{};
  FlightStats session_flights{};  // cache.flights are the users'
  StorageStats storage{};
  SignInStats sign_in{};
  PasswordHasherStats hasher{};
  LocalAttemptLimiter::Stats attempts{};
  std::optional<StoredAttemptLimiter::Stats> stored_attempts{};  // nullopt: SQLite
  std::optional<RedisParts::Stats> redis{};                      // nullopt: no Redis
  TokenAuthorityStats tokens{};
  std::uint64_t dropped_log_lines = 0;
  double uptime_seconds = 0;
};

// The page behind GET /metrics, in Prometheus' text format, version 0.0.4. Names and labels are an
// interface: dashboards depend on them (docs/operations/monitoring.md names those to watch).
std::string render_metrics(const ApplicationStats& stats);

// The answer to GET /cache/stats, a JSON object: hits by level, misses, refusals, evictions, bytes,
// lease, holds, database reads, and the promise.
std::string render_cache_report(const ApplicationStats& stats);

}  // namespace um
