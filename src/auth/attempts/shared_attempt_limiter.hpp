// SharedAttemptLimiter: the AttemptLimiter of an instance that is not alone.
//
// Every sign-in takes a place in the limiter of this instance first, and then one that all
// instances share. When the shared one cannot be asked, the local place alone will do: guessing is
// limited less tightly then, by the number of instances at most, and nobody is refused for it.
//
// Who waits for sign-ins under way elsewhere asks again every `pause`, holding the local place.
//
// Thread safety: any event loop. Places may outlive the limiter.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>

#include "auth/attempts/attempt_limiter.hpp"
#include "auth/attempts/shared_attempts.hpp"
#include "base/clock.hpp"

namespace um {

struct SharedAttemptOptions {
  std::chrono::milliseconds pause{100};
  std::size_t waiters = 1000;  // more are refused with a Retry-After of a second
};

class SharedAttemptLimiter final : public AttemptLimiter {
 public:
  // All outlive the limiter.
  SharedAttemptLimiter(AttemptLimiter& local, SharedAttempts& shared, const Clock& clock,
                       SharedAttemptOptions options = {});
  ~SharedAttemptLimiter() override;

  Task<Result<std::unique_ptr<Place>>> take(Who who, Deadline deadline) override;

  struct Stats {
    std::uint64_t shared = 0;   // places that count for all instances
    std::uint64_t local = 0;    // places that count here only: the others could not be asked
    std::uint64_t refused = 0;  // because of failures that all instances have seen
    std::size_t waiting = 0;
  };
  Stats stats() const;

 private:
  struct Link;
  class SharedPlace;
  class Waiting;

  AttemptLimiter& local_;
  const std::shared_ptr<Link> link_;
  const Clock& clock_;
  const SharedAttemptOptions options_;
  std::atomic<std::uint64_t> taken_{0};
  std::atomic<std::uint64_t> unshared_{0};
  std::atomic<std::uint64_t> refused_{0};
  std::atomic<std::size_t> waiting_{0};
};

}  // namespace um
