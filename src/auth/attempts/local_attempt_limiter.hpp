// LocalAttemptLimiter: the AttemptLimiter of an instance that is alone, in its own memory.
//
// About 7 MB, whatever the number of accounts and addresses (failure_window.hpp says what sharing a
// counter can and cannot do). Sign-ins that wait for others are at most `waiters`; more are refused
// with a Retry-After of a second. A restart forgets the failures. Thread safety: any event loop.
#pragma once

#include <memory>

#include "auth/attempts/attempt_limiter.hpp"

namespace um {

struct LocalAttemptLimiterOptions {
  AttemptLimits limits{};
  std::size_t waiters = 1000;
  std::size_t account_cells = 32768;  // per row; see FailureWindow
  std::size_t address_cells = 8192;
};

class LocalAttemptLimiter final : public AttemptLimiter {
 public:
  // `clock` outlives the limiter. Throws std::invalid_argument if a limit is not positive.
  LocalAttemptLimiter(LocalAttemptLimiterOptions options, const Clock& clock);
  ~LocalAttemptLimiter() override;

  Task<Result<std::unique_ptr<Place>>> take(Who who, Deadline deadline) override;

  struct Stats {
    std::size_t waiting = 0;
    std::uint64_t taken = 0;
    std::uint64_t failures = 0;
    std::uint64_t refused = 0;
  };
  Stats stats() const;

 private:
  struct State;
  class TakenPlace;
  class Waiting;
  std::shared_ptr<State> state_;
};

}  // namespace um
