// ServiceOperations: what the API tells about the process, from all of its parts.
// Thread safety: any event loop.
#pragma once

#include <atomic>
#include <functional>

#include "api/operations.hpp"
#include "app/application_stats.hpp"
#include "app/readiness_ping.hpp"
#include "auth/tokens/token_authority.hpp"
#include "cache/cache.hpp"
#include "storage/storage.hpp"

namespace um {

class ServiceOperations final : public api::Operations {
 public:
  struct Parts {
    Storage& storage;
    Cache& cache;
    TokenAuthority& tokens;
    const Clock& clock;
    std::function<ApplicationStats()> stats;  // from any loop
  };
  explicit ServiceOperations(Parts parts)
      : parts_{std::move(parts)},
        ping_{[this](Deadline deadline) { return parts_.storage.ping(deadline); }, parts_.clock} {}

  Task<std::vector<api::Missing>> readiness(Deadline deadline) override;
  Task<Result<std::string>> metrics(Deadline deadline) override;
  Task<Result<std::string>> cache_stats(Deadline deadline) override;
  Task<Result<std::string>> jwks(Deadline deadline) override;

  // From now on the service is not ready: a load balancer should send nobody any more.
  void note_draining() { draining_ = true; }

 private:
  Parts parts_;
  ReadinessPing ping_;
  std::atomic<bool> draining_{false};
};

}  // namespace um
