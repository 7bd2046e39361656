#include "app/application_info.hpp"

namespace um {

Task<std::vector<api::Missing>> ApplicationInfo::readiness(Deadline deadline) {
  std::vector<api::Missing> missing;
  if (draining_) missing.push_back({.part = "draining", .detail = "the server is shutting down"});
  if (!parts_.cache.coherence().stats(parts_.clock.now()).lease_valid)
    missing.push_back({.part = "lease", .detail = "the database was not heard from lately"});
  const Result<void> reachable = co_await ping_.ask(deadline);
  if (!reachable) missing.push_back({.part = "database", .detail = reachable.error().detail});
  co_return missing;
}

Task<Result<std::string>> ApplicationInfo::metrics(Deadline /*deadline*/) {
  co_return render_metrics(parts_.stats());
}

Task<Result<std::string>> ApplicationInfo::cache_stats(Deadline /*deadline*/) {
  co_return render_cache_report(parts_.stats());
}

Task<Result<std::string>> ApplicationInfo::jwks(Deadline /*deadline*/) {
  co_return *parts_.tokens.jwks();
}

}  // namespace um
