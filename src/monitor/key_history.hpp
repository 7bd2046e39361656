// KeyHistory: judges the reads of one cache key while they happen. Are they linearizable, or late
// by at most a bound?
//
// The states of a key have an order: the database gives every change of a user a larger version,
// and a key whose user is deleted and created again lives several lives. With the order of the
// writes known the check is simple (Gibbons and Korach, "Testing Shared Memories", 1997):
//
//   A read returns at least the newest state that was known before it began.
//
// A state is known from the moment on at which its write was acknowledged, or at which a read that
// returned it ended. With a bound other instances than the writing one may be late: for them a
// state counts only if it was known for longer than the bound when the read began.
//
// An answer "no such user" fits every absence of the key. It is taken for the newest one where it
// is judged, and for the oldest possible one where it makes a state known: the history accuses
// nobody without proof.
//
// Memory is bounded: kKnown states are remembered, and of older ones only the newest. Pure; thread
// safety: none. REQUIRES: calls in the order of time, each with the moment at which it happens.
#pragma once

#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

#include "base/clock.hpp"

namespace um {

// Even lives are absences: 0 before the first creation, 1 the user, 2 the absence after its
// removal, 3 the next user of the key, …
struct UserState {
  std::int64_t life = 0;
  std::int64_t version = 0;  // 0 of an absence
  auto operator<=>(const UserState&) const = default;
};

class KeyHistory {
 public:
  static constexpr std::size_t kKnown = 256;

  // What was known when a read began; nullopt: nothing.
  struct Floor {
    BootTime at{};
    std::optional<UserState> state{};
  };
  struct Break {
    std::chrono::nanoseconds age{};       // how long a newer state was known when the read began
    UserState known{};                    // the newest state that had to be returned
    std::optional<UserState> returned{};  // nullopt: no such user
  };

  explicit KeyHistory(std::chrono::nanoseconds bound) : bound_{bound} {}

  // A removal of the key's user was sent, or may be sent by others: absences up to `life` are
  // possible.
  void absence_may_begin(std::int64_t life);
  void acknowledge(UserState state, std::size_t instance, BootTime now);

  Floor begin_read(std::size_t instance, BootTime now) const;
  // nullopt: the promise was kept. `returned` is nullopt if there was no such user.
  std::optional<Break> end_read(const Floor& floor, std::optional<UserState> returned,
                                BootTime now);

 private:
  struct Known {
    UserState state{};
    BootTime since{};
    std::optional<std::size_t> written_at{};  // the instance that acknowledged it
  };
  void learn(Known known);
  std::chrono::nanoseconds age_of(const UserState& returned, BootTime began) const;

  const std::chrono::nanoseconds bound_;
  std::int64_t newest_absence_ = 0;
  std::deque<Known> known_;  // ascending in state and in time
};

}  // namespace um
