// ApplicationInfo: implements ProcessInfo with the numbers and states of all parts of the process.
// Thread safety: any event loop.
#pragma once

#include <atomic>
#include <functional>

#include "api/process_info.hpp"
#include "app/application_stats.hpp"
#include "app/readiness_ping.hpp"
#include "auth/tokens/token_authority.hpp"
#include "cache/cache.hpp"
#include "storage/storage.hpp"

namespace um {

class ApplicationInfo final : public api::ProcessInfo {
 public:
  struct Parts {
    Storage& storage;
    Cache& cache;
    TokenAuthority& tokens;
    const Clock& clock;
    std::function<ApplicationStats()> stats;  // from any loop
  };
  explicit ApplicationInfo(Parts parts)
      : parts_{std::move(parts)},
        ping_{[this](Deadline deadline) { return parts_.storage.ping(deadline); }, parts_.clock} {}

  Task<std::vector<api::Missing>> readiness(Deadline deadline) override;
  Task<Result<std::string>> metrics(Deadline deadline) override;
  Task<Result<std::string>> cache_stats(Deadline deadline) override;
  Task<Result<std::string>> jwks(Deadline deadline) override;

  // From now on the service reports that it is not ready, so that a load balancer sends no more
  // clients.
  void note_draining() { draining_ = true; }

 private:
  Parts parts_;
  ReadinessPing ping_;
  std::atomic<bool> draining_{false};
};

}  // namespace um
