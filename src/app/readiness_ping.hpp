// ReadinessPing: whether the database can be read and written, for any number of callers at once.
//
// A ping takes a turn of the only writer, so an answer is reused for 250 ms, counted from the start
// of its ping, and a caller that comes during a ping waits for it. A ping that ran out of its
// caller's time says nothing about the database, so other callers do not get its answer.
//
// Thread safety: any event loop; coroutines resume on their own.
#pragma once

#include <functional>
#include <mutex>
#include <optional>

#include "async/single_flight.hpp"

namespace um {

class ReadinessPing {
 public:
  static constexpr std::chrono::milliseconds kReused{250};
  using Ping = std::function<Task<Result<void>>(Deadline)>;

  // `clock` and the objects that `ping` refers to outlive it.
  ReadinessPing(Ping ping, const Clock& clock)
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
