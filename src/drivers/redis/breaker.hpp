// Breaker: whether a server is worth asking (circuit breaker; M. Nygard, "Release It!", 2007).
//
//   closed   calls go through
//   open     calls fail at once, nobody waits; after a pause somebody tries again
//   probing  a connection is being tried, without any caller's request; success closes
//
// The pause doubles from one failure to the next, with jitter, so that many instances do not come
// back at the same moment. After a probe has succeeded the first lost connection opens the breaker
// again, with a longer pause, until a call has been answered: a server that greets and then answers
// nothing does not get calls to wait for it again and again.
//
// Pure; thread safety: none. The random numbers are the caller's.
#pragma once

#include <chrono>
#include <cstdint>

namespace um::redis {

struct BreakerOptions {
  int losses = 3;  // connections lost in a row, without an answer in between, until it opens
  std::chrono::nanoseconds first_pause = std::chrono::milliseconds{100};
  std::chrono::nanoseconds longest_pause = std::chrono::seconds{5};
};

class Breaker {
 public:
  enum class State : std::uint8_t { closed, open, probing };

  explicit Breaker(BreakerOptions options = {}) : options_{options} {}

  State state() const { return state_; }
  std::uint64_t openings() const { return openings_; }

  // `random`: evenly from [0, 1). Returns how long to wait before connecting again.
  std::chrono::nanoseconds connect_failed(double random) { return open(random); }
  std::chrono::nanoseconds connection_lost(double random) {
    if (++losses_ < options_.losses) return {};
    return open(random);
  }
  void begin_connect() {
    if (state_ == State::open) state_ = State::probing;
  }
  void connected() { state_ = State::closed; }
  void answered() {
    losses_ = 0;
    pauses_ = 0;
  }

 private:
  std::chrono::nanoseconds open(double random) {
    if (state_ == State::closed) ++openings_;
    state_ = State::open;
    losses_ = options_.losses;
    std::chrono::nanoseconds pause = options_.first_pause;
    for (int i = 0; i < pauses_ && pause < options_.longest_pause; ++i) pause *= 2;
    if (pause > options_.longest_pause) pause = options_.longest_pause;
    ++pauses_;
    constexpr double kLeast = 0.5;
    const double share = kLeast + (1 - kLeast) * random;
    return std::chrono::nanoseconds{
        static_cast<std::int64_t>(static_cast<double>(pause.count()) * share)};
  }

  const BreakerOptions options_;
  State state_ = State::closed;
  int losses_ = 0;
  int pauses_ = 0;
  std::uint64_t openings_ = 0;
};

}  // namespace um::redis
