// SingleFlight: the coroutines around flight.hpp; requests on all event loops share one query per
// key.
//
// The leader runs the query in its own coroutine, under its own deadline; there is no coroutine
// without an owner. Whatever becomes of the leader, the others are not stranded: a result or a
// failure of the database is handed to them; if the leader ran out of time, was cancelled or threw,
// one of the others leads the next query, under its own deadline.
//
// Thread safety: any thread; each coroutine resumes on its own executor (see waker.hpp).
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include <boost/asio/this_coro.hpp>

#include "base/deadline.hpp"
#include "base/error.hpp"
#include "async/task.hpp"
#include "cache/cache_stats.hpp"
#include "async/flight.hpp"
#include "cache/key_hash.hpp"
#include "async/waker.hpp"

namespace um {

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
  // `ask`: Task<Result<T>>(), the query. `admit`: bool(const T&), called with the flight closed to
  // newcomers, answers whether a later reader with a valid lease may take the result. Both outlive
  // the call. overloaded: too many are waiting; timeout: no result before the deadline.
  template <class Ask, class Admit>
  Task<Result<T>> run(Request request, Ask& ask, Admit& admit);

  FlightStats stats() const {
    const std::scoped_lock lock{mutex_};
    return stats_;
  }

 private:
  struct Passenger {
    std::shared_ptr<Waker> waker;
    bool leads = false;
    std::optional<Result<T>> result{};
  };
  using PassengerRef = std::shared_ptr<Passenger>;
  using FlightOf = Flight<PassengerRef>;
  class Seat;

  // All under mutex_.
  void deliver(const std::string& key, typename FlightOf::Landing landing,
               const std::optional<Result<T>>& result);

  const Limits limits_;
  const Clock& clock_;
  mutable std::mutex mutex_;
  // Keys come from requests, but there are never more than `waiting` of them.
  std::unordered_map<std::string, FlightOf> flights_;
  FlightStats stats_;
};

// A request's part in a flight. However its coroutine ends, the seat is given up properly.
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
    // Running out of time is the leader's own affair; the seat's destructor passes the lead on.
    if (!result && result.error().code == ErrorCode::timeout) return;
    const std::scoped_lock lock{table_.mutex_};
    FlightOf& flight = table_.flights_.at(key_);
    auto verdict = FlightOf::Verdict::admissible;
    // If this throws, nothing has landed, and the seat's destructor passes the lead on.
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
  const auto executor = co_await boost::asio::this_coro::executor;
  const auto passenger = std::make_shared<Passenger>(std::make_shared<Waker>(executor));
  Seat seat{*this, request, passenger};
  if (seat.refused())
    co_return fail(Error{.code = ErrorCode::overloaded,
                         .detail = "too many requests are waiting for the database",
                         .retry_after = std::chrono::seconds{1}});
  while (seat.waits()) {
    if (request.deadline.passed(clock_.now()))
      co_return fail(ErrorCode::timeout, "the deadline passed while another request was asking");
    co_await passenger->waker->sleep(request.deadline, clock_);
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
    passenger->waker->wake();
  }
  if (landing.next_leader) {
    ++stats_.leaders;
    (*landing.next_leader)->leads = true;
    (*landing.next_leader)->waker->wake();
  } else {
    flights_.erase(key);
  }
}

}  // namespace um
