// Flight: one query at a time for one key, shared by the requests that may share it (single
// flight).
//
// Naive single flight breaks linearizability by itself: a request that begins after a write was
// acknowledged would be given the result of a query from before the write. So a request follows a
// running flight only with its own valid lease, checked before it joined, and takes the result only
// if the result is admissible when it arrives. Then the answer is one that L1 could have given at
// that moment, after the lease check: an ordinary hit. Every other request needs a query that
// starts after it joined; those wait together for the next flight, which begins when this one has
// landed.
//
// Who is on the running flight:
//   leader      its query is the one that runs
//   companions  were waiting before it began
//   followers   joined later, lease valid
// Everybody else waits for the next one, whatever the lease: its query starts after they joined.
//
// At landing the leader and the companions take the result as it is; the followers if it is
// admissible, else they are turned away to the next flight. Its first passenger leads it.
//
// REQUIRES, of the caller: the verdict on admissibility is taken while nobody can join, in one
// critical section with land(). A follower that joined between verdict and landing could have begun
// after a write that the verdict did not know.
//
// A Passenger is a cheap copyable handle, unique per request. Thread safety: none, and no I/O: the
// coroutines are in single_flight.hpp.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

namespace um {

// yes: the request's own lease check, before it joined, was valid.
enum class MayFollow { no, yes };

template <class Passenger>
class Flight {
 public:
  enum class Seat { leader, follower, next };

  Seat join(Passenger passenger, MayFollow may_follow) {
    if (!leader_) {
      leader_ = std::move(passenger);
      return Seat::leader;
    }
    if (may_follow == MayFollow::yes) {
      followers_.push_back(std::move(passenger));
      return Seat::follower;
    }
    next_.push_back(std::move(passenger));
    return Seat::next;
  }

  struct Landing {
    std::vector<Passenger> served{};         // take the leader's result
    std::size_t turned_away = 0;             // followers that were sent to the next flight
    std::optional<Passenger> next_leader{};  // shall ask now
  };
  enum class Verdict { admissible, not_admissible };
  // The leader has a result.
  Landing land(Verdict verdict) {
    Landing landing{.served = std::exchange(companions_, {})};
    if (verdict == Verdict::admissible) {
      move_all(followers_, landing.served);
    } else {
      landing.turned_away = followers_.size();
      move_all(followers_, next_);
    }
    landing.next_leader = begin_next();
    return landing;
  }
  // The query failed in a way that is true for everybody who waited for it.
  Landing fail() { return land(Verdict::admissible); }
  // The leader gave up (deadline, cancellation): its reasons are its own. All others go on.
  Landing abandon() {
    std::vector<Passenger> waiting = std::exchange(companions_, {});
    move_all(followers_, waiting);
    move_all(next_, waiting);
    next_ = std::move(waiting);
    return {.next_leader = begin_next()};
  }
  // One who is not the leader does not want to wait any more.
  void leave(const Passenger& passenger) {
    std::erase(companions_, passenger);
    std::erase(followers_, passenger);
    std::erase(next_, passenger);
  }

  bool idle() const { return !leader_; }

 private:
  std::optional<Passenger> begin_next() {
    leader_.reset();
    if (next_.empty()) return std::nullopt;
    leader_ = std::move(next_.front());
    next_.erase(next_.begin());
    companions_ = std::exchange(next_, {});
    return leader_;
  }
  static void move_all(std::vector<Passenger>& from, std::vector<Passenger>& to) {
    std::ranges::move(from, std::back_inserter(to));
    from.clear();
  }

  std::optional<Passenger> leader_;
  std::vector<Passenger> companions_;
  std::vector<Passenger> followers_;
  std::vector<Passenger> next_;
};

}  // namespace um
