#include "async/gate.hpp"

#include <algorithm>

#include "async/handoff.hpp"

namespace um {

struct ReadGate::Queued {
  Handoff turn;
  bool has_permit = false;  // given by release(), also while the coroutine does not know it yet
};

// A place in the queue. If the coroutine ends without its permit (deadline, cancellation), the
// place is given up; a permit that it was given meanwhile is passed on.
class ReadGate::Place {
 public:
  Place(ReadGate& gate, std::shared_ptr<Queued> queued) : gate_{gate}, queued_{std::move(queued)} {}
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  ~Place() {
    std::unique_lock lock{gate_.mutex_};
    if (taken_) return;
    std::erase(gate_.queue_, queued_);
    const bool pass_on = queued_->has_permit;
    lock.unlock();
    if (pass_on) gate_.release();
  }
  bool take_permit() {
    const std::scoped_lock lock{gate_.mutex_};
    return taken_ = queued_->has_permit;
  }

 private:
  ReadGate& gate_;
  std::shared_ptr<Queued> queued_;
  bool taken_ = false;
};

Task<Result<ReadGate::Permit>> ReadGate::enter(Deadline deadline) {
  std::shared_ptr<Queued> queued;
  {
    const std::scoped_lock lock{mutex_};
    if (stats_.running < limits_.running && queue_.empty()) {
      ++stats_.running;
      ++stats_.reads;
      co_return Permit{*this};
    }
    if (queue_.size() >= limits_.queued) {
      ++stats_.refused;
      co_return fail(Error{.code = ErrorCode::overloaded,
                           .detail = "too many reads of the database are waiting",
                           .retry_after = std::chrono::seconds{1}});
    }
    queued = std::make_shared<Queued>();
    queue_.push_back(queued);
  }
  Place place{*this, queued};
  while (!place.take_permit()) {
    if (deadline.passed(clock_.now())) {
      const std::scoped_lock lock{mutex_};
      ++stats_.late;
      co_return fail(ErrorCode::timeout, "no turn to read the database before the deadline");
    }
    co_await queued->turn.wait(deadline, clock_);
  }
  co_return Permit{*this};
}

void ReadGate::release() {
  const std::scoped_lock lock{mutex_};
  --stats_.running;
  if (queue_.empty()) return;
  const auto next = std::move(queue_.front());
  queue_.pop_front();
  ++stats_.running;
  ++stats_.reads;
  next->has_permit = true;
  next->turn.wake();
}

ReadGateStats ReadGate::stats() const {
  const std::scoped_lock lock{mutex_};
  ReadGateStats stats = stats_;
  stats.queued = queue_.size();
  return stats;
}

}  // namespace um
