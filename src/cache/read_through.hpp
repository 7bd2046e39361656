// ReadThrough: steps 1 to 3 of a read (docs/consistency.md, section 5) for one kind of value, in
// the only order that is right. A Lookup contains the differences between users by id, users by
// e-mail and sessions.
//
//  1. lease_valid(now): always first.
//  2. L1, then L2: only with a valid lease. A fact from L2 must be admitted, and is in L1 then.
//  3. The primary: one query per key at a time, through the gate. The result is admitted under the
//     shard's lock and shared with followers by the rule of async/single_flight.hpp.
//
// Requests share a look-up in L2 like a query of the primary. The flights of the two are separate:
// a request without a valid lease, or one that insists on the primary, must not get a result of L2.
//
// A query that failed or was cancelled puts nothing into L1: admit() is called only with a result
// and its stamp.
//
// Thread safety: any thread.
#pragma once

#include <algorithm>
#include <chrono>

#include "async/single_flight.hpp"
#include "cache/cache.hpp"
#include "cache/l2.hpp"
#include "storage/cache_key.hpp"
#include "storage/reading.hpp"

namespace um {

template <class T>
class ReadThrough {
 public:
  using Answer = Result<Reading<T>>;

  // How to read one key. Lives in the frame of the coroutine that reads.
  class Lookup {
   public:
    virtual ~Lookup() = default;
    virtual EntryKind kind() const = 0;
    virtual std::string key() const = 0;
    // The value in L1; does not check the lease.
    virtual std::optional<Reading<T>> from_memory() = 0;
    virtual Task<Answer> from_primary(ReadOptions options) = 0;
    // The admitted value from L2; nullopt: there is none.
    virtual Task<std::optional<Reading<T>>> from_l2(L2& level, Deadline deadline) = 0;
    // The facts in a reading from the primary, key by key.
    virtual Facts facts(const Reading<T>& reading) const = 0;
  };

  explicit ReadThrough(Cache& cache)
      : cache_{cache},
        l2_flights_{{.waiting = cache.max_waiting()}, cache.clock()},
        flights_{{.waiting = cache.max_waiting()}, cache.clock()} {}

  // Steps 1 and 2. Neither waits nor allocates.
  template <class FromMemory>
  std::optional<Reading<T>> now(const ReadOptions& options, BootTime now,
                                FromMemory&& from_memory) {
    if (options.from_primary || !cache_.coherence().lease_valid(now)) return std::nullopt;
    return from_memory();
  }

  // Steps 1 to 3. `lookup` outlives the call. `most_stale`: how old an answer may be while the
  // primary cannot be asked.
  Task<Answer> find(Lookup& lookup, ReadOptions options, std::chrono::seconds most_stale);

  FlightStats flight_stats() const { return flights_.stats(); }

 private:
  Task<std::optional<Reading<T>>> ask_l2(Lookup& lookup, Deadline whole_read);
  Task<Answer> ask(Lookup& lookup, ReadOptions options);
  bool admit(Lookup& lookup, const Reading<T>& reading);
  std::optional<Reading<T>> stale(Lookup& lookup, std::chrono::seconds most_stale);

  static bool cannot_be_asked(const Error& error) {
    return error.code == ErrorCode::unavailable || error.code == ErrorCode::timeout ||
           error.code == ErrorCode::overloaded;
  }

  Cache& cache_;
  SingleFlight<Reading<T>> l2_flights_;
  SingleFlight<Reading<T>> flights_;
};

template <class T>
auto ReadThrough<T>::find(Lookup& lookup, ReadOptions options, std::chrono::seconds most_stale)
    -> Task<Answer> {
  const bool leased = cache_.coherence().lease_valid(cache_.clock().now());
  const bool memory_will_do = leased && !options.from_primary;
  if (memory_will_do) {
    std::optional<Reading<T>> remembered = lookup.from_memory();
    if (remembered) co_return std::move(*remembered);
  }
  const bool time_for_l2 = cache_.clock().now() < options.deadline.l2_until;
  if (memory_will_do && time_for_l2 && cache_.l2().there() &&
      !cache_.coherence().holds(lookup.key())) {
    std::optional<Reading<T>> found = co_await ask_l2(lookup, options.deadline);
    if (found) co_return std::move(*found);
  }

  cache_.count_miss(lookup.kind());
  auto ask_primary = [&] { return ask(lookup, options); };
  auto admit_it = [&](const Reading<T>& reading) { return admit(lookup, reading); };
  const bool memory_is_stale = !leased && cache_.coherence().stores(lookup.key());
  // A request that insists on the primary shares a query only if the query starts after the request
  // arrived.
  typename SingleFlight<Reading<T>>::Request request{
      .key = lookup.key(),
      .may_follow = memory_will_do ? MayFollow::yes : MayFollow::no,
      .deadline = options.deadline};
  Answer answer = co_await flights_.run(std::move(request), ask_primary, admit_it);
  if (!answer && !options.from_primary && cannot_be_asked(answer.error())) {
    std::optional<Reading<T>> old = stale(lookup, most_stale);
    if (old) co_return std::move(*old);
  }
  // Each request has its own reason to ask, also if it shares a query.
  if (answer) answer->memory_was_stale = memory_is_stale;
  co_return answer;
}

template <class T>
auto ReadThrough<T>::ask(Lookup& lookup, ReadOptions options) -> Task<Answer> {
  Result<ReadGate::Permit> permit = co_await cache_.gate().enter(options.deadline);
  if (!permit) co_return fail(std::move(permit.error()));
  Answer answer = co_await lookup.from_primary(options);
  if (answer && cache_.l2().there())
    for (auto& [key, value] : lookup.facts(*answer))
      cache_.l2().put(std::move(key), {std::move(value), answer->stamp});
  co_return answer;
}

// nullopt also after a failure: then the primary is asked. One time limit covers all calls of L2
// that the look-up needs (for an address and then an id, and to wait for another instance), and all
// reads of the request.
template <class T>
auto ReadThrough<T>::ask_l2(Lookup& lookup, Deadline whole_read)
    -> Task<std::optional<Reading<T>>> {
  const BootTime bound = cache_.clock().now() + cache_.l2_time();
  const Deadline deadline = whole_read.no_later_than(std::min(whole_read.l2_until, bound));
  auto ask_it = [&]() -> Task<Answer> {
    std::optional<Reading<T>> found = co_await lookup.from_l2(cache_.l2(), deadline);
    if (!found) co_return fail(ErrorCode::not_found);
    co_return std::move(*found);
  };
  // A follower may take the result if L1 contains the same value now.
  auto still_remembered = [&](const Reading<T>& reading) {
    const std::optional<Reading<T>> remembered = lookup.from_memory();
    return remembered && remembered->value == reading.value;
  };
  typename SingleFlight<Reading<T>>::Request request{
      .key = lookup.key(), .may_follow = MayFollow::yes, .deadline = deadline};
  Answer answer = co_await l2_flights_.run(std::move(request), ask_it, still_remembered);
  if (!answer) co_return std::nullopt;
  co_return std::move(*answer);
}

// True if all of its facts were admitted.
template <class T>
bool ReadThrough<T>::admit(Lookup& lookup, const Reading<T>& reading) {
  bool all = true;
  for (auto& [key, value] : lookup.facts(reading))
    all &= cache_.coherence().admit(key, reading.stamp, std::move(value)) == Admission::admitted;
  return all;
}

// A value in L1 was right when the last poll was sent, so its age counts from that moment.
template <class T>
std::optional<Reading<T>> ReadThrough<T>::stale(Lookup& lookup, std::chrono::seconds most_stale) {
  const auto known_at = cache_.coherence().known_at();
  if (most_stale.count() <= 0 || !known_at) return std::nullopt;
  const auto age = std::chrono::ceil<std::chrono::seconds>(
      std::max(cache_.clock().now() - *known_at, BootTime::duration::zero()));
  if (age > most_stale) return std::nullopt;
  auto reading = lookup.from_memory();
  if (!reading) return std::nullopt;
  reading->source = Source::stale;
  reading->age = age;
  cache_.count_stale_answer();
  return reading;
}

}  // namespace um
