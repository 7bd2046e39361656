// StoredAttemptLimiter: the AttemptLimiter of instances that share a database.
//
// Every sign-in takes a place in the limiter of its instance first, and then one in the database
// that counts for all instances. A database that does not answer within `longest_wait` makes no
// sign-in fail: the local place alone is enough then, so guessing is limited less tightly, by the
// number of instances at most. A stored place that comes too late is given back.
//
// A sign-in that waits for others under way on other instances asks again every `pause`, holding
// its local place.
//
// Thread safety: any event loop; stop() from a thread that is no event loop. Places may outlive the
// limiter.
#pragma once

#include <chrono>
#include <memory>

#include <boost/asio/io_context.hpp>

#include "auth/attempts/attempt_limiter.hpp"
#include "base/clock.hpp"
#include "base/counters.hpp"
#include "base/secret.hpp"
#include "storage/attempt_store.hpp"

namespace um {

struct StoredAttemptOptions {
  AttemptLimits limits{};
  Secret deployment_key{};  // the same for all instances
  std::chrono::milliseconds longest_wait{200};
  std::chrono::milliseconds longest_call{2000};  // of a call that no sign-in waits for any longer
  std::chrono::milliseconds pause{100};
  std::size_t waiters = 1000;  // more are refused with a Retry-After of a second
};

template <class Number>
struct StoredAttemptNumbers {
  Number shared{};   // places that count for all instances
  Number local{};    // places that count here only: the database did not answer in time
  Number refused{};  // because of failures that all instances have seen
  Number waiting{};

  static constexpr auto table() {
    using N = StoredAttemptNumbers;
    constexpr MetricText kPlaces{"sign_in_places_total",
                                 "Sign-ins counted for all instances, or for this one only"};
    return std::tuple{count_of(&N::shared, kPlaces, {"counted", "everywhere"}),
                      count_of(&N::local, kPlaces, {"counted", "here"}), count_of(&N::refused),
                      level_of(&N::waiting)};
  }
};

class StoredAttemptLimiter final : public AttemptLimiter {
 public:
  // The parts that the limiter uses; all outlive it.
  struct Parts {
    AttemptLimiter& local;
    AttemptStore& store;
    const Clock& clock;
    boost::asio::io_context& loop;  // runs the calls that end places
  };
  // Throws std::invalid_argument if a limit is out of the range of AttemptStore::Take or the window
  // is not the store's.
  StoredAttemptLimiter(StoredAttemptOptions options, Parts parts);
  ~StoredAttemptLimiter() override;

  Task<Result<std::unique_ptr<Place>>> take(Subject subject, Deadline deadline) override;
  // Waits for the calls under way, while the loops still run. Later outcomes are dropped.
  void stop();

  using Stats = StoredAttemptNumbers<std::uint64_t>;
  Stats stats() const;

 private:
  class Shared;
  class Question;
  class StoredPlace;
  class Waiting;

  AttemptLimiter& local_;
  const Clock& clock_;
  const StoredAttemptOptions options_;
  const std::shared_ptr<Shared> shared_;
};

}  // namespace um
