// Breaker: whether calls to a server have a chance (circuit breaker; M. Nygard, "Release It!",
// 2007).
//
//   closed   calls go through
//   open     calls fail at once; after a pause a new connection is tried
//   probing  that connection is being made, without the call of any caller; success closes
//
// The pause doubles from one failure to the next. After a probe has succeeded, the first connection
// that is lost opens the breaker again, with a longer pause, until a call has been answered. So a
// server that accepts connections and then answers nothing does not get calls again and again.
//
// Pure; thread safety: none.
#pragma once

#include <chrono>
#include <cstdint>

#include "async/backoff.hpp"

namespace um::redis {

struct BreakerOptions {
  int losses = 3;  // connections lost in a row, without an answer in between, until it opens
  std::chrono::nanoseconds first_pause = std::chrono::milliseconds{100};
  std::chrono::nanoseconds longest_pause = std::chrono::seconds{5};
};

class Breaker {
 public:
  enum class State : std::uint8_t { closed, open, probing };

  explicit Breaker(BreakerOptions options = {})
      : most_losses_{options.losses},
        backoff_{{.first = options.first_pause, .most = options.longest_pause}} {}

  State state() const { return state_; }
  std::uint64_t openings() const { return openings_; }

  // The pause before the next attempt to connect. `chance`: any random number (backoff.hpp).
  std::chrono::nanoseconds connect_failed(std::uint64_t chance) { return open(chance); }
  std::chrono::nanoseconds connection_lost(std::uint64_t chance) {
    if (++losses_ < most_losses_) return {};
    return open(chance);
  }
  void begin_connect() {
    if (state_ == State::open) state_ = State::probing;
  }
  void connected() { state_ = State::closed; }
  void answered() {
    losses_ = 0;
    backoff_.succeeded();
  }

 private:
  std::chrono::nanoseconds open(std::uint64_t chance) {
    if (state_ == State::closed) ++openings_;
    state_ = State::open;
    losses_ = most_losses_;
    return backoff_.pause(chance);
  }

  const int most_losses_;
  Backoff backoff_;
  State state_ = State::closed;
  int losses_ = 0;
  std::uint64_t openings_ = 0;
};

}  // namespace um::redis
