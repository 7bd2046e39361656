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
#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "async/handoff.hpp"
#include "async/task.hpp"
#include "base/counters.hpp"
#include "base/deadline.hpp"
#include "base/error.hpp"
#include "base/siphash.hpp"

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
// The table is divided into shards by a keyed hash of the key, because clients choose keys. Each
// shard has a lock of its own. The verdict on admissibility is taken under the lock of the key's
// shard, so a slow verdict delays the requests for the keys of one shard only. A verdict takes
// other locks (those of cache/coherence.hpp), always after the lock of the shard.
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
  static constexpr std::size_t kShards = 64;  // a power of two

  // `clock` outlives this object.
  SingleFlight(Limits limits, const Clock& clock) : limits_{limits}, clock_{clock} {}
  SingleFlight(const SingleFlight&) = delete;
  SingleFlight& operator=(const SingleFlight&) = delete;

  struct Request {
    std::string key;
    MayFollow may_follow = MayFollow::no;
    Deadline deadline{};
  };
  // `ask`: Task<Result<T>>(), the query. `admit`: bool(const T&), whether a later reader with a
  // valid lease may take the result; called while no request for the key can join. Both outlive the
  // call.
  // overloaded: too many requests are waiting. timeout: no result before the deadline.
  template <class Ask, class Admit>
  Task<Result<T>> run(Request request, Ask& ask, Admit& admit);

  FlightStats stats() const { return read_counters(counters_); }
  // The number of the key's shard, below kShards. Keys of one shard share a lock.
  std::size_t shard_number(std::string_view key) const {
    return siphash_1_3(hash_key_, key) & (kShards - 1);
  }

 private:
  struct Passenger {
    Handoff news{};
    bool leads = false;
    std::optional<Result<T>> result{};
  };
  using PassengerRef = std::shared_ptr<Passenger>;
  using FlightOf = Flight<PassengerRef>;
  // The mutex guards the flights, and the passengers in them.
  struct alignas(64) Shard {
    std::mutex mutex;
    std::unordered_map<std::string, FlightOf> flights;
  };
  class Seat;

  // False if too many requests are waiting.
  bool count_in() {
    if (counters_.waiting.add() < limits_.waiting) return true;
    counters_.waiting.remove();
    counters_.refused.add();
    return false;
  }
  // REQUIRES the shard's lock.
  void deliver(Shard& shard, const std::string& key, typename FlightOf::Landing landing,
               const std::optional<Result<T>>& result);

  const Limits limits_;
  const Clock& clock_;
  const SipKey hash_key_ = SipKey::random();
  // At most `waiting` flights in all of them, although the keys come from requests.
  std::array<Shard, kShards> shards_;
  // Shared by all threads: each is counted next to a query, which costs a thousand times more.
  FlightNumbers<Counter> counters_;
};

// The part of one request in a flight. However its coroutine ends, the other passengers go on.
template <class T>
class SingleFlight<T>::Seat {
 public:
  Seat(SingleFlight& table, const Request& request, PassengerRef passenger)
      : table_{table},
        key_{request.key},
        shard_{table.shards_[table.shard_number(key_)]},
        me_{std::move(passenger)},
        seated_{table.count_in()} {
    if (!seated_) return;
    const std::scoped_lock lock{shard_.mutex};
    me_->leads = shard_.flights[key_].join(me_, request.may_follow) == FlightOf::Seat::leader;
    if (me_->leads) table_.counters_.leaders.add();
  }
  Seat(const Seat&) = delete;
  Seat& operator=(const Seat&) = delete;
  ~Seat() {
    if (!seated_) return;
    leave();
    table_.counters_.waiting.remove();
  }

  bool refused() const { return !seated_; }
  bool waits() const {
    const std::scoped_lock lock{shard_.mutex};
    return !me_->leads && !me_->result;
  }
  bool leads() const {
    const std::scoped_lock lock{shard_.mutex};
    return me_->leads;
  }
  // REQUIRES: !waits() and !leads().
  Result<T> take_result() { return std::move(*me_->result); }

  template <class Admit>
  void land(const Result<T>& result, Admit& admit) {
    // The deadline was the leader's own; the destructor passes the lead on.
    if (!result && result.error().code == ErrorCode::timeout) return;
    const std::scoped_lock lock{shard_.mutex};
    FlightOf& flight = shard_.flights.at(key_);
    auto verdict = FlightOf::Verdict::admissible;
    // If admit() throws, nothing has landed, and the destructor passes the lead on.
    if (result && !admit(*result)) verdict = FlightOf::Verdict::not_admissible;
    landed_ = true;
    if (!result) return table_.deliver(shard_, key_, flight.fail(), result);
    table_.deliver(shard_, key_, flight.land(verdict), result);
  }

 private:
  void leave() {
    const std::scoped_lock lock{shard_.mutex};
    if (landed_ || me_->result) return;
    FlightOf& flight = shard_.flights.at(key_);
    if (me_->leads)
      table_.deliver(shard_, key_, flight.abandon(), std::nullopt);
    else
      flight.leave(me_);
  }

  SingleFlight& table_;
  const std::string key_;
  Shard& shard_;
  const PassengerRef me_;
  const bool seated_;
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
void SingleFlight<T>::deliver(Shard& shard, const std::string& key,
                              typename FlightOf::Landing landing,
                              const std::optional<Result<T>>& result) {
  counters_.followers.add(landing.served.size());
  counters_.turned_away.add(landing.turned_away);
  for (const auto& passenger : landing.served) {
    passenger->result = result;
    passenger->news.wake();
  }
  if (landing.next_leader) {
    counters_.leaders.add();
    (*landing.next_leader)->leads = true;
    (*landing.next_leader)->news.wake();
  } else {
    shard.flights.erase(key);
  }
}

}  // namespace um
