// ReadThrough: steps 1 to 3 of a read (docs/consistency.md, section 5) for one kind of value, in
// the one order in which they are right. What differs between users by id, users by e-mail and
// sessions comes in as a Lookup.
//
//   1  lease_valid(now)        always first
//   2  memory                  only with a valid lease
//   3  the primary             one query per key at a time, through the gate; admitted under the
//                              shard's lock; shared with followers under flight.hpp's rule
//
// A query that failed or was cancelled puts nothing into memory: admission is reached only with a
// result and its stamp.
//
// Thread safety: any thread.
#pragma once

#include <algorithm>
#include <chrono>

#include "cache/cache.hpp"
#include "cache/single_flight.hpp"
#include "storage/cache_key.hpp"
#include "storage/reading.hpp"

namespace um {

template <class T>
class ReadThrough {
 public:
  using Answer = Result<Reading<T>>;

  // How to read one key. Lives in the frame of the coroutine that asks.
  class Lookup {
   public:
    virtual ~Lookup() = default;
    virtual EntryKind kind() const = 0;
    virtual std::string key() const = 0;
    // What memory says, whatever the lease says.
    virtual std::optional<Reading<T>> from_memory() = 0;
    virtual Task<Answer> from_primary(ReadOptions options) = 0;
    // Offers the facts of a reading of the primary to memory; true if all of them were admitted.
    virtual bool admit(const Reading<T>& reading) = 0;
  };

  explicit ReadThrough(Cache& cache)
      : cache_{cache}, flights_{{.waiting = cache.max_waiting()}, cache.clock()} {}

  // Steps 1 and 2. Neither waits nor allocates.
  template <class FromMemory>
  std::optional<Reading<T>> now(const ReadOptions& options, BootTime now,
                                FromMemory&& from_memory) {
    if (options.from_primary || !cache_.coherence().lease_valid(now)) return std::nullopt;
    return from_memory();
  }

  // Steps 1 to 3. `lookup` outlives the call. `most_stale`: how old an answer may be if the primary
  // cannot be asked.
  Task<Answer> find(Lookup& lookup, ReadOptions options, std::chrono::seconds most_stale);

  FlightStats flight_stats() const { return flights_.stats(); }

 private:
  Task<Answer> ask(Lookup& lookup, ReadOptions options);
  std::optional<Reading<T>> stale(Lookup& lookup, std::chrono::seconds most_stale);

  static bool cannot_be_asked(const Error& error) {
    return error.code == ErrorCode::unavailable || error.code == ErrorCode::timeout ||
           error.code == ErrorCode::overloaded;
  }

  Cache& cache_;
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
  // A second level (l2_store.hpp) belongs here: a fact from it that admit() takes is an answer.

  cache_.count_miss(lookup.kind());
  auto ask_primary = [&] { return ask(lookup, options); };
  auto admit = [&](const Reading<T>& reading) { return lookup.admit(reading); };
  // Who insists on the primary shares a query only if that starts after the request came.
  typename SingleFlight<Reading<T>>::Request request{
      .key = lookup.key(),
      .may_follow = memory_will_do ? MayFollow::yes : MayFollow::no,
      .deadline = options.deadline};
  Answer answer = co_await flights_.run(std::move(request), ask_primary, admit);
  if (!answer && !options.from_primary && cannot_be_asked(answer.error())) {
    std::optional<Reading<T>> old = stale(lookup, most_stale);
    if (old) co_return std::move(*old);
  }
  co_return answer;
}

template <class T>
auto ReadThrough<T>::ask(Lookup& lookup, ReadOptions options) -> Task<Answer> {
  Result<ReadGate::Permit> permit = co_await cache_.gate().enter(options.deadline);
  if (!permit) co_return fail(std::move(permit.error()));
  Answer answer = co_await lookup.from_primary(options);
  co_return answer;
}

// What memory holds was right when the last poll was sent, so that is where its age is counted
// from.
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
