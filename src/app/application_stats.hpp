// ServiceStats: what every part of the process counts, collected at one moment. Values only;
// rendered for Prometheus by metrics.hpp and as JSON by cache_report.hpp.
#pragma once

#include "api/request_stats.hpp"
#include "app/redis_parts.hpp"
#include "auth/attempts/local_attempt_limiter.hpp"
#include "auth/attempts/stored_attempt_limiter.hpp"
#include "auth/passwords/password_hasher.hpp"
#include "auth/tokens/token_authority.hpp"
#include "cache/cache_stats.hpp"
#include "drivers/http/server.hpp"
#include "service/sign_in.hpp"
#include "storage/storage.hpp"

namespace um {

struct ServiceStats {
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

}  // namespace um
