// RedisParts: the client of Redis and the L2 cache that uses it. Redis is optional at every moment:
// without it a look-up that memory cannot answer goes to the database.
//
// Thread safety: that of the parts. Destroyed before the loops and after everything that uses the
// parts.
#pragma once

#include <memory>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "cache/redis_l2_store.hpp"
#include "config/config.hpp"
#include "drivers/redis/client.hpp"
#include "telemetry/log.hpp"

namespace um {

class RedisParts {
 public:
  struct Options {
    const Config& config;  // REQUIRES: config.redis
    const Secret& deployment_key;
    const Clock& clock;  // outlives it
    Logger& log;         // outlives it
    const std::vector<boost::asio::io_context*>& loops;
  };
  // invalid: the URL or its CA file cannot be used. It need not be reachable.
  static Result<std::unique_ptr<RedisParts>> make(const Options& options);

  L2Store& l2() { return l2_; }

  struct Stats {
    redis::Stats client;
    RedisL2Store::Stats l2;
  };
  Stats stats() const { return {.client = client_.stats(), .l2 = l2_.stats()}; }

 private:
  RedisParts(const Options& options, redis::Endpoint endpoint);

  redis::Client client_;
  RedisL2Store l2_;
};

}  // namespace um
