// StoredAttempts: SharedAttempts in the database of the users, for deployments without Redis: names
// become cells of a sketch here, the counters are the AttemptStore's.
//
// A database that is slow makes a sign-in at most `longest_wait` later; then the limits of this
// instance alone hold, and a place that comes too late is given back at once.
//
// Thread safety: any thread.
#pragma once

#include <boost/asio/any_io_executor.hpp>

#include "auth/attempts/attempt_sketch.hpp"
#include "auth/attempts/shared_attempts.hpp"
#include "base/clock.hpp"
#include "base/secret.hpp"
#include "storage/attempt_store.hpp"

namespace um {

class StoredAttempts final : public SharedAttempts {
 public:
  struct Options {
    AttemptLimits limits{};
    Secret deployment_key{};  // the same for all instances
    std::chrono::milliseconds longest_wait{200};
    std::chrono::milliseconds longest_call{2000};  // where nobody waits, or waits any longer
  };
  // `store` and `clock` outlive it; what end() starts runs on `executor`. That loop and those of
  // the callers end before this object does. Throws std::invalid_argument if a limit is out of
  // range or the window is not the store's.
  StoredAttempts(Options options, AttemptStore& store, const Clock& clock,
                 boost::asio::any_io_executor executor);

  Task<std::optional<Answer>> take(Who who, Deadline deadline) override;
  void end(const Who& who, Taken place, Outcome outcome) override;

 private:
  class Question;
  Task<void> ask(std::shared_ptr<Question> question, Who who);
  AttemptStore::Cells cells(const Who& who) const;

  const Options options_;
  const AttemptSketch sketch_;
  AttemptStore& store_;
  const Clock& clock_;
  const boost::asio::any_io_executor executor_;
};

}  // namespace um
