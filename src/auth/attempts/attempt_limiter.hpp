// AttemptLimiter: bounds how often passwords can be guessed.
//
// A place is taken before hashing, so that parallel sign-ins cannot get past the limit, and given
// back on success. Who is over the limit only because of sign-ins still under way waits for them;
// who is over it because of failures gets too_many_attempts with Retry-After. Constant memory,
// whatever the number of accounts and addresses. The interface is for limiters shared by instances
// as well. Thread safety: any event loop.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/deadline.hpp"
#include "base/error.hpp"
#include "async/task.hpp"

namespace um {

struct AttemptLimits {
  int failures_per_account = 10;
  int failures_per_address = 100;
  std::chrono::minutes window{15};
};

class AttemptLimiter {
 public:
  // One sign-in under way. Destroyed without an outcome it gives its place back.
  class Place {
   public:
    virtual ~Place() = default;
    virtual void succeeded() = 0;
    virtual void failed() = 0;
  };
  struct Who {
    std::string account;  // folded e-mail, whether it exists or not
    std::string address;  // client address; counts by its address_group()
  };

  virtual ~AttemptLimiter() = default;
  // too_many_attempts, with a Retry-After of at most the window and one step of it (see
  // failure_window.hpp: 16 minutes for 15); timeout; unavailable (the caller was cancelled).
  virtual Task<Result<std::unique_ptr<Place>>> take(Who who, Deadline deadline) = 0;
};

// Under which name an address counts: IPv4 (also mapped into IPv6) by itself, IPv6 by its first 64
// bits (what one customer is given), anything else by its text.
std::string address_group(std::string_view address);

}  // namespace um
