// SharedMemory: Redis as the instances of one deployment use it: facts behind the memory of each.
// Optional at every moment: when it is away it costs nothing but its help.
//
// Thread safety: as its parts say. Goes before the loops and after everything that uses the parts.
#pragma once

#include <memory>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "cache/redis_l2_store.hpp"
#include "drivers/redis/client.hpp"
#include "ops/config.hpp"

namespace um {

class SharedMemory {
 public:
  struct Options {
    const Config& config;  // REQUIRES: config.redis
    const Secret& fact_key;
    const Clock& clock;  // outlives it
    const std::vector<boost::asio::io_context*>& loops;
  };
  // invalid: the URL or its CA file cannot be used. It need not be reachable.
  static Result<std::unique_ptr<SharedMemory>> make(const Options& options);

  L2Store& facts() { return facts_; }
  redis::Client& client() { return client_; }
  redis::Stats client_stats() const { return client_.stats(); }
  RedisL2Store::Stats fact_stats() const { return facts_.stats(); }

 private:
  SharedMemory(const Options& options, redis::Endpoint endpoint);

  redis::Client client_;
  RedisL2Store facts_;
};

}  // namespace um
