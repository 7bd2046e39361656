// SharedPing: asks the database whether it can be read and written, for however many ask at once.
//
// A ping takes a turn of the only writer. What it said holds for a moment, counted from when it
// began; who comes while one is under way waits for it. A ping that ran out of its asker's time
// says nothing to the others. Thread safety: any event loop; coroutines resume on their own.
#pragma once

#include <functional>
#include <mutex>
#include <optional>

#include "async/single_flight.hpp"

namespace um {

class SharedPing {
 public:
  static constexpr std::chrono::milliseconds kHolds{250};
  using Ping = std::function<Task<Result<void>>(Deadline)>;

  // `clock` and what `ping` refers to outlive it.
  SharedPing(Ping ping, const Clock& clock)
      : ping_{std::move(ping)}, clock_{clock}, flights_{{}, clock} {}

  Task<Result<void>> ask(Deadline deadline);

 private:
  struct Healthy {};
  struct Answer {
    BootTime begun;
    Result<void> result;
  };
  std::optional<Result<void>> remembered() const;
  Task<Result<Healthy>> ping_now(Deadline deadline);

  const Ping ping_;
  const Clock& clock_;
  SingleFlight<Healthy> flights_;
  mutable std::mutex mutex_;
  std::optional<Answer> last_;  // guarded by mutex_
};

}  // namespace um
