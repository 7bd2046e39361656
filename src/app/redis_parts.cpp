#include "app/redis_parts.hpp"

#include <stdexcept>

namespace um {

Result<std::unique_ptr<SharedMemory>> SharedMemory::make(const Options& options) {
  auto endpoint = redis::parse_url(options.config.redis->reveal());
  if (!endpoint) return fail(ErrorCode::invalid, "redis: " + endpoint.error().detail);
  try {
    return std::unique_ptr<SharedMemory>{new SharedMemory{options, std::move(*endpoint)}};
  } catch (const std::invalid_argument& error) {
    return fail(ErrorCode::invalid, std::string{"redis: "} + error.what());
  }
}

SharedMemory::SharedMemory(const Options& options, redis::Endpoint endpoint)
    : client_{{.endpoint = std::move(endpoint),
               .client_name = "user-manager",
               .timeout = options.config.redis_timeout,
               .log = [&log = options.log](
                          std::string_view line) { log.warn("redis", {{"what", line}}); }},
              options.clock,
              options.loops},
      facts_{{.deployment_key = options.fact_key,
              .ttl = options.config.cache_ttl,
              .longest_wait = options.config.redis_timeout},
             client_,
             options.clock},
      attempts_{{.deployment_key = options.fact_key, .prefix = FactSeal{options.fact_key}.prefix()},
                client_} {}

}  // namespace um
