// ReadThrough: steps 1 to 3 of a read (docs/consistency.md, section 5) for one kind of value, in
// the one order in which they are right. What differs between users by id, users by e-mail and
// sessions comes in as a Lookup.
//
//  1. lease_valid(now): always first.
//  2. Memory, then the second level: only with a valid lease; a fact from the second level must be
//     admitted, and goes into memory.
//  3. The primary: one query per key at a time, through the gate; admitted under the shard's lock;
//     shared with followers under flight.hpp's rule.
//
// Requests share what the second level says as they share a query. Flights of the two are kept
// apart: who has no lease, or insists on the primary, must not be given what a shared memory said.
//
// A query that failed or was cancelled puts nothing into memory: admission is reached only with a
// result and its stamp.
//
// Thread safety: any thread.
#pragma once

#include <algorithm>
#include <chrono>

#include "cache/cache.hpp"
#include "cache/second_level.hpp"
#include "async/single_flight.hpp"
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
    // What the second level says and memory has taken; nullopt: not known there.
    virtual Task<std::optional<Reading<T>>> from_second_level(SecondLevel& level,
                                                              Deadline deadline) = 0;
    // What a reading of the primary says, key by key.
    virtual Facts facts(const Reading<T>& reading) const = 0;
  };

  explicit ReadThrough(Cache& cache)
      : cache_{cache},
        second_level_flights_{{.waiting = cache.max_waiting()}, cache.clock()},
        flights_{{.waiting = cache.max_waiting()}, cache.clock()} {}

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
  Task<std::optional<Reading<T>>> ask_second_level(Lookup& lookup, Deadline whole_read);
  Task<Answer> ask(Lookup& lookup, ReadOptions options);
  bool admit(Lookup& lookup, const Reading<T>& reading);
  std::optional<Reading<T>> stale(Lookup& lookup, std::chrono::seconds most_stale);

  static bool cannot_be_asked(const Error& error) {
    return error.code == ErrorCode::unavailable || error.code == ErrorCode::timeout ||
           error.code == ErrorCode::overloaded;
  }

  Cache& cache_;
  SingleFlight<Reading<T>> second_level_flights_;
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
  const bool time_for_shortcuts = cache_.clock().now() < options.deadline.shortcuts_until;
  if (memory_will_do && time_for_shortcuts && cache_.second_level().there()) {
    std::optional<Reading<T>> shared = co_await ask_second_level(lookup, options.deadline);
    if (shared) co_return std::move(*shared);
  }

  cache_.count_miss(lookup.kind());
  auto ask_primary = [&] { return ask(lookup, options); };
  auto admit_it = [&](const Reading<T>& reading) { return admit(lookup, reading); };
  // Who insists on the primary shares a query only if that starts after the request came.
  typename SingleFlight<Reading<T>>::Request request{
      .key = lookup.key(),
      .may_follow = memory_will_do ? MayFollow::yes : MayFollow::no,
      .deadline = options.deadline};
  Answer answer = co_await flights_.run(std::move(request), ask_primary, admit_it);
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
  if (answer && cache_.second_level().there())
    for (auto& [key, value] : lookup.facts(*answer))
      cache_.second_level().put(std::move(key), {std::move(value), answer->stamp});
  co_return answer;
}

// nullopt also if it failed: the primary is asked then. One bound for all the questions that it
// takes (an address and then an id, and whether somebody else is asking), and for all the reads of
// the request.
template <class T>
auto ReadThrough<T>::ask_second_level(Lookup& lookup, Deadline whole_read)
    -> Task<std::optional<Reading<T>>> {
  const BootTime bound = cache_.clock().now() + cache_.second_level_time();
  const Deadline deadline = whole_read.no_later_than(std::min(whole_read.shortcuts_until, bound));
  auto ask_it = [&]() -> Task<Answer> {
    std::optional<Reading<T>> found =
        co_await lookup.from_second_level(cache_.second_level(), deadline);
    if (!found) co_return fail(ErrorCode::not_found);
    co_return std::move(*found);
  };
  // Whoever joined while it was asked may take it if it is what memory would answer now.
  auto still_remembered = [&](const Reading<T>& reading) {
    const std::optional<Reading<T>> remembered = lookup.from_memory();
    return remembered && remembered->value == reading.value;
  };
  typename SingleFlight<Reading<T>>::Request request{
      .key = lookup.key(), .may_follow = MayFollow::yes, .deadline = deadline};
  Answer answer = co_await second_level_flights_.run(std::move(request), ask_it, still_remembered);
  if (!answer) co_return std::nullopt;
  co_return std::move(*answer);
}

// True if all of its facts may be remembered.
template <class T>
bool ReadThrough<T>::admit(Lookup& lookup, const Reading<T>& reading) {
  bool all = true;
  for (auto& [key, value] : lookup.facts(reading))
    all &= cache_.coherence().admit(key, reading.stamp, std::move(value)) == Admission::admitted;
  return all;
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
