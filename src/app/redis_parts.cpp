#include "app/redis_parts.hpp"

#include <stdexcept>

namespace um {

Result<std::unique_ptr<RedisParts>> RedisParts::make(const Options& options) {
  auto endpoint = redis::parse_url(options.config.redis->reveal());
  if (!endpoint) return fail(ErrorCode::invalid, "redis: " + endpoint.error().detail);
  try {
    return std::unique_ptr<RedisParts>{new RedisParts{options, std::move(*endpoint)}};
  } catch (const std::invalid_argument& error) {
    return fail(ErrorCode::invalid, std::string{"redis: "} + error.what());
  }
}

RedisParts::RedisParts(const Options& options, redis::Endpoint endpoint)
    : client_{{.endpoint = std::move(endpoint),
               .client_name = "user-manager",
               .timeout = options.config.redis_timeout,
               .log = [&log = options.log](
                          std::string_view line) { log.warn("redis", {{"what", line}}); }},
              options.clock,
              options.loops},
      l2_{{.deployment_key = options.deployment_key,
           .ttl = options.config.cache_ttl,
           .hint_wait = options.config.redis_timeout},
          client_,
          options.clock} {}

}  // namespace um
