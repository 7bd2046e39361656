#include "async/gate.hpp"

#include <algorithm>

#include <boost/asio/this_coro.hpp>

#include "async/waker.hpp"

namespace um {

struct ReadGate::Waiter {
  explicit Waiter(const boost::asio::any_io_executor& executor)
      : waker{std::make_shared<Waker>(executor)} {}
  std::shared_ptr<Waker> waker;
  bool has_turn = false;  // the permit is this waiter's, whether it knows it or not
};

// A place in the queue. If the coroutine ends without taking its turn (deadline, cancellation), the
// place is given up, or the turn that was already given is passed on.
class ReadGate::Place {
 public:
  Place(ReadGate& gate, std::shared_ptr<Waiter> waiter) : gate_{gate}, waiter_{std::move(waiter)} {}
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  ~Place() {
    std::unique_lock lock{gate_.mutex_};
    if (taken_) return;
    std::erase(gate_.queue_, waiter_);
    const bool pass_on = waiter_->has_turn;
    lock.unlock();
    if (pass_on) gate_.release();
  }
  bool take() {
    const std::scoped_lock lock{gate_.mutex_};
    return taken_ = waiter_->has_turn;
  }

 private:
  ReadGate& gate_;
  std::shared_ptr<Waiter> waiter_;
  bool taken_ = false;
};

Task<Result<ReadGate::Permit>> ReadGate::enter(Deadline deadline) {
  const auto executor = co_await boost::asio::this_coro::executor;
  std::shared_ptr<Waiter> waiter;
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
    waiter = std::make_shared<Waiter>(executor);
    queue_.push_back(waiter);
  }
  Place place{*this, waiter};
  while (!place.take()) {
    if (deadline.passed(clock_.now())) {
      const std::scoped_lock lock{mutex_};
      ++stats_.late;
      co_return fail(ErrorCode::timeout, "no turn to read the database before the deadline");
    }
    co_await waiter->waker->sleep(deadline, clock_);
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
  next->has_turn = true;
  next->waker->wake();
}

ReadGateStats ReadGate::stats() const {
  const std::scoped_lock lock{mutex_};
  ReadGateStats stats = stats_;
  stats.queued = queue_.size();
  return stats;
}

}  // namespace um
