// LocalAttemptLimiter: the AttemptLimiter of one process, in its memory: enough for SQLite, and for
// the instances on a database that does not answer in time.
//
// It takes about 7 MB, whatever the number of accounts and addresses (failure_window.hpp describes
// the effects of shared counters). At most `waiters` sign-ins wait for others; more are
// refused with a Retry-After of a second. A restart forgets the failures. Thread safety: any event
// loop.
#pragma once

#include <memory>

#include "auth/attempts/attempt_limiter.hpp"
#include "base/counters.hpp"

namespace um {

struct LocalAttemptLimiterOptions {
  AttemptLimits limits{};
  std::size_t waiters = 1000;
  std::size_t account_cells = 32768;  // per row; see FailureWindow
  std::size_t address_cells = 8192;
};

template <class Number>
struct LocalAttemptNumbers {
  Number waiting{};
  Number taken{};
  Number failures{};
  Number refused{};

  static constexpr auto table() {
    using N = LocalAttemptNumbers;
    return std::tuple{level_of(&N::waiting, kQueueLength, {"queue", "sign_in_attempts"}),
                      count_of(&N::taken), count_of(&N::failures), count_of(&N::refused)};
  }
};

class LocalAttemptLimiter final : public AttemptLimiter {
 public:
  // `clock` outlives the limiter. Throws std::invalid_argument if a limit is not positive.
  LocalAttemptLimiter(LocalAttemptLimiterOptions options, const Clock& clock);
  ~LocalAttemptLimiter() override;

  Task<Result<std::unique_ptr<Place>>> take(Subject subject, Deadline deadline) override;

  using Stats = LocalAttemptNumbers<std::uint64_t>;
  Stats stats() const;

 private:
  struct State;
  class TakenPlace;
  class Waiting;
  std::shared_ptr<State> state_;
};

}  // namespace um
