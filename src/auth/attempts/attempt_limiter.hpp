// AttemptLimiter: bounds how often passwords can be guessed.
//
// A sign-in takes a place before its password is hashed, so that parallel sign-ins cannot get past
// the limit, and gives the place back on success. A sign-in over the limit only because of others
// under way waits for them; one over the limit because of failures gets too_many_attempts with
// Retry-After. Memory is constant, whatever the number of accounts and addresses.
//
// LocalAttemptLimiter counts the sign-ins of one process, StoredAttemptLimiter those of all
// instances on a database. Thread safety: any event loop.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "async/task.hpp"
#include "base/deadline.hpp"
#include "base/error.hpp"

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
  // A sign-in counts against the limits of both.
  struct Subject {
    std::string account;  // folded e-mail, whether it exists or not
    std::string address;  // client address; counts by its address_group()
  };

  virtual ~AttemptLimiter() = default;
  // too_many_attempts, with a Retry-After of at most the window and one step of it (see
  // failure_window.hpp: 16 minutes for 15); timeout; cancelled (the client disconnected).
  virtual Task<Result<std::unique_ptr<Place>>> take(Subject subject, Deadline deadline) = 0;
};

// The name under which an address counts: IPv4 (also mapped into IPv6) by itself, IPv6 by its first
// 64 bits (the usual assignment to one customer), anything else by its text.
std::string address_group(std::string_view address);

// The refusals of every limiter.
Error too_many_failures(std::chrono::seconds retry_after);  // at least a second
Error waited_too_long();
Error client_disconnected();

}  // namespace um
