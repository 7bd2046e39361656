// ProcessInfo: the state of the process as a whole, which the API reports. Implemented by the
// composition root (app/), which alone knows all the parts. Thread safety: any event loop;
// coroutines resume on the executor on which they are awaited.
#pragma once

#include <string>
#include <vector>

#include "async/task.hpp"
#include "base/deadline.hpp"
#include "base/error.hpp"

namespace um::api {

// A part that must work before the process can serve requests, and does not.
struct Missing {
  std::string part;    // stable and short: "database", "lease"
  std::string detail;  // for people
};

class ProcessInfo {
 public:
  virtual ~ProcessInfo() = default;
  // Empty: ready.
  virtual Task<std::vector<Missing>> readiness(Deadline deadline) = 0;
  // In Prometheus' text format, version 0.0.4.
  virtual Task<Result<std::string>> metrics(Deadline deadline) = 0;
  // A JSON object: hits by level, misses, refusals, evictions, bytes, lease, holds, database reads.
  virtual Task<Result<std::string>> cache_stats(Deadline deadline) = 0;
  // A JWK Set (RFC 7517): the public keys that verify tokens now.
  virtual Task<Result<std::string>> jwks(Deadline deadline) = 0;
};

}  // namespace um::api
