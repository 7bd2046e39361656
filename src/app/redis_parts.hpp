// SharedMemory: Redis as the instances of one deployment use it: facts behind the memory of each,
// and what they know together about failed sign-ins.
// Optional at every moment: when it is away it costs nothing but its help.
//
// Thread safety: as its parts say. Goes before the loops and after everything that uses the parts.
#pragma once

#include <memory>
#include <vector>

#include "auth/attempts/redis_attempts.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "cache/redis_l2_store.hpp"
#include "drivers/redis/client.hpp"
#include "config/config.hpp"
#include "telemetry/log.hpp"

namespace um {

class SharedMemory {
 public:
  struct Options {
    const Config& config;  // REQUIRES: config.redis
    const Secret& fact_key;
    const Clock& clock;  // outlives it
    Logger& log;         // outlives it
    const std::vector<boost::asio::io_context*>& loops;
  };
  // invalid: the URL or its CA file cannot be used. It need not be reachable.
  static Result<std::unique_ptr<SharedMemory>> make(const Options& options);

  L2Store& facts() { return facts_; }
  SharedAttempts& attempts() { return attempts_; }

  struct Stats {
    redis::Stats client;
    RedisL2Store::Stats facts;
  };
  Stats stats() const { return {.client = client_.stats(), .facts = facts_.stats()}; }

 private:
  SharedMemory(const Options& options, redis::Endpoint endpoint);

  redis::Client client_;
  RedisL2Store facts_;
  RedisAttempts attempts_;
};

}  // namespace um
