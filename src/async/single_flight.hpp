// Single flight: requests that read the same key at the same time share one query of the database.
//
// Naive single flight breaks linearizability by itself: a request that begins after a write was
// acknowledged would be given the result of a query from before the write. So a request follows a
// running flight only with its own valid lease, checked before it joined, and takes the result only
// if the result is admissible when it arrives. Then the answer is one that L1 could have given at
// that moment, after the lease check: an ordinary hit. Every other request needs a query that
// starts after it joined; those wait together for the next flight, which begins when this one has
// landed.
//
// Flight is that rule for one key, without threads. SingleFlight is the table of flights and the
// coroutines around it. The passengers of a flight:
//
//   leader      its query is the one that runs
//   companions  were waiting before the query began
//   followers   joined later, with a valid lease
//
// Every other request waits for the next flight, whatever its lease: the next query starts after
// the request joined. At landing the leader and the companions take the result as it is. The
// followers take it if it is admissible, otherwise they are turned away to the next flight. The
// first passenger of the next flight leads it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "async/handoff.hpp"
#include "async/task.hpp"
#include "base/counters.hpp"
#include "base/deadline.hpp"
#include "base/error.hpp"

namespace um {

template <class Number>
struct FlightNumbers {
  Number leaders{};
  Number followers{};    // answered by another request's query
  Number turned_away{};  // followers to which the result was not admissible
  Number refused{};      // too many were waiting
  Number waiting{};      // now

  static constexpr auto table() {
    using N = FlightNumbers;
    constexpr MetricText kFlights{"single_flight_total",
                                  "Requests that needed the database, by their part"};
    return std::tuple{count_of(&N::leaders, kFlights, {"role", "leader"}),
                      count_of(&N::followers, kFlights, {"role", "follower"}),
                      count_of(&N::turned_away, kFlights, {"role", "turned_away"}),
                      count_of(&N::refused, kFlights, {"role", "refused"}), level_of(&N::waiting)};
  }
};
using FlightStats = FlightNumbers<std::uint64_t>;

// yes: the lease check of the request itself, before it joined, succeeded.
enum class MayFollow { no, yes };

// One query at a time for one key. A Passenger is a cheap copyable handle, unique per request.
//
// REQUIRES, of the caller: the verdict on admissibility is taken while no request can join, in one
// critical section with land(). A follower that joined between verdict and landing could have begun
// after a write that the verdict did not know.
//
// Thread safety: none.
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
    std::size_t turned_away = 0;             // followers that were moved to the next flight
    std::optional<Passenger> next_leader{};  // begins its query now
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
  // The query failed for a reason that holds for every passenger.
  Landing fail() { return land(Verdict::admissible); }
  // The leader gave up (deadline, cancellation), which says nothing about the other passengers.
  Landing abandon() {
    std::vector<Passenger> waiting = std::exchange(companions_, {});
    move_all(followers_, waiting);
    move_all(next_, waiting);
    next_ = std::move(waiting);
    return {.next_leader = begin_next()};
  }
  // A passenger that is not the leader stops waiting.
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

// The flights of all keys, shared by the requests on all event loops.
//
// The leader runs the query in its own coroutine, under its own deadline, so no coroutine is
// without an owner. A result or a failure of the database is handed to the other passengers. If the
// leader ran out of time, was cancelled or threw, one of the other passengers leads the next query,
// under its own deadline.
//
// Thread safety: any thread; each coroutine resumes on its own executor.
template <class T>
class SingleFlight {
 public:
  struct Limits {
    std::size_t waiting = 10'000;  // requests, over all keys
  };
  SingleFlight(Limits limits, const Clock& clock) : limits_{limits}, clock_{clock} {}
  SingleFlight(const SingleFlight&) = delete;
  SingleFlight& operator=(const SingleFlight&) = delete;

  struct Request {
    std::string key;
    MayFollow may_follow = MayFollow::no;
    Deadline deadline{};
  };
  // `ask`: Task<Result<T>>(), the query. `admit`: bool(const T&), whether a later reader with a
  // valid lease may take the result; called while no request can join. Both outlive the call.
  // overloaded: too many requests are waiting. timeout: no result before the deadline.
  template <class Ask, class Admit>
  Task<Result<T>> run(Request request, Ask& ask, Admit& admit);

  FlightStats stats() const {
    const std::scoped_lock lock{mutex_};
    return stats_;
  }

 private:
  struct Passenger {
    Handoff news{};
    bool leads = false;
    std::optional<Result<T>> result{};
  };
  using PassengerRef = std::shared_ptr<Passenger>;
  using FlightOf = Flight<PassengerRef>;
  class Seat;

  // REQUIRES the lock.
  void deliver(const std::string& key, typename FlightOf::Landing landing,
               const std::optional<Result<T>>& result);

  const Limits limits_;
  const Clock& clock_;
  mutable std::mutex mutex_;
  // At most `waiting` keys, although they come from requests.
  std::unordered_map<std::string, FlightOf> flights_;
  FlightStats stats_;
};

// The part of one request in a flight. However its coroutine ends, the other passengers go on.
template <class T>
class SingleFlight<T>::Seat {
 public:
  Seat(SingleFlight& table, const Request& request, PassengerRef passenger)
      : table_{table}, key_{request.key}, me_{std::move(passenger)} {
    const std::scoped_lock lock{table_.mutex_};
    if (table_.stats_.waiting >= table_.limits_.waiting) {
      ++table_.stats_.refused;
      return;
    }
    ++table_.stats_.waiting;
    seated_ = true;
    me_->leads = table_.flights_[key_].join(me_, request.may_follow) == FlightOf::Seat::leader;
    if (me_->leads) ++table_.stats_.leaders;
  }
  Seat(const Seat&) = delete;
  Seat& operator=(const Seat&) = delete;
  ~Seat() {
    if (!seated_) return;
    const std::scoped_lock lock{table_.mutex_};
    --table_.stats_.waiting;
    if (landed_ || me_->result) return;
    FlightOf& flight = table_.flights_.at(key_);
    if (me_->leads)
      table_.deliver(key_, flight.abandon(), std::nullopt);
    else
      flight.leave(me_);
  }

  bool refused() const { return !seated_; }
  bool waits() const {
    const std::scoped_lock lock{table_.mutex_};
    return !me_->leads && !me_->result;
  }
  bool leads() const {
    const std::scoped_lock lock{table_.mutex_};
    return me_->leads;
  }
  // REQUIRES: !waits() and !leads().
  Result<T> take_result() { return std::move(*me_->result); }

  template <class Admit>
  void land(const Result<T>& result, Admit& admit) {
    // The deadline was the leader's own; the destructor passes the lead on.
    if (!result && result.error().code == ErrorCode::timeout) return;
    const std::scoped_lock lock{table_.mutex_};
    FlightOf& flight = table_.flights_.at(key_);
    auto verdict = FlightOf::Verdict::admissible;
    // If admit() throws, nothing has landed, and the destructor passes the lead on.
    if (result && !admit(*result)) verdict = FlightOf::Verdict::not_admissible;
    landed_ = true;
    if (!result) return table_.deliver(key_, flight.fail(), result);
    table_.deliver(key_, flight.land(verdict), result);
  }

 private:
  SingleFlight& table_;
  const std::string key_;
  const PassengerRef me_;
  bool seated_ = false;
  bool landed_ = false;
};

template <class T>
template <class Ask, class Admit>
Task<Result<T>> SingleFlight<T>::run(Request request, Ask& ask, Admit& admit) {
  const auto passenger = std::make_shared<Passenger>();
  Seat seat{*this, request, passenger};
  if (seat.refused())
    co_return fail(Error{.code = ErrorCode::overloaded,
                         .detail = "too many requests are waiting for the database",
                         .retry_after = std::chrono::seconds{1}});
  while (seat.waits()) {
    if (request.deadline.passed(clock_.now()))
      co_return fail(ErrorCode::timeout, "the deadline passed while another request was asking");
    co_await passenger->news.wait(request.deadline, clock_);
  }
  if (!seat.leads()) co_return seat.take_result();
  Result<T> result = co_await ask();
  seat.land(result, admit);
  co_return result;
}

template <class T>
void SingleFlight<T>::deliver(const std::string& key, typename FlightOf::Landing landing,
                              const std::optional<Result<T>>& result) {
  stats_.followers += landing.served.size();
  stats_.turned_away += landing.turned_away;
  for (const auto& passenger : landing.served) {
    passenger->result = result;
    passenger->news.wake();
  }
  if (landing.next_leader) {
    ++stats_.leaders;
    (*landing.next_leader)->leads = true;
    (*landing.next_leader)->news.wake();
  } else {
    flights_.erase(key);
  }
}

}  // namespace um
