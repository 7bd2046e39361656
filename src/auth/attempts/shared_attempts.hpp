// SharedAttempts: what all instances know together about failed sign-ins and those under way; the
// part of a shared AttemptLimiter that has a server behind it: Redis (redis_attempts.hpp) or the
// database (stored_attempts.hpp).
//
// The policy is that of attempt_limiter.hpp. A place that is never ended, because its instance
// died, must be given back after a minute or two. Constant memory.
//
// Thread safety: any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <variant>

#include "auth/attempts/attempt_limiter.hpp"
#include "base/deadline.hpp"
#include "async/task.hpp"

namespace um {

class SharedAttempts {
 public:
  using Who = AttemptLimiter::Who;  // the address already as its address_group()

  struct Taken {
    std::int64_t place = 0;  // what end() needs to know again
  };
  struct Busy {};  // over the limit only because of sign-ins under way
  struct Refused {
    std::chrono::milliseconds wait{};
  };
  using Answer = std::variant<Taken, Busy, Refused>;
  enum class Outcome : std::uint8_t { succeeded, failed };

  virtual ~SharedAttempts() = default;
  // One atomic step. nullopt: cannot be asked now; takes a short time, whatever the deadline.
  virtual Task<std::optional<Answer>> take(Who who, Deadline deadline) = 0;
  // Does not wait. May be lost.
  virtual void end(const Who& who, Taken place, Outcome outcome) = 0;
};

}  // namespace um
