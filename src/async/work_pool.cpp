#include "async/work_pool.hpp"

#include <algorithm>

#include "async/waiter.hpp"

namespace um {

enum class CallState { waiting, running, done, dropped };

struct WorkPool::Call {
  std::function<void()> work;
  Deadline deadline;
  CallState state = CallState::waiting;  // guarded by Shared::mutex
  std::shared_ptr<Waiter> waiter = std::make_shared<Waiter>();
};

struct WorkPool::Shared {
  explicit Shared(const Clock& c) : clock{c} {}

  const Clock& clock;
  mutable std::mutex mutex;
  std::condition_variable ready;
  std::deque<std::shared_ptr<Call>> queue;
  bool closing = false;
  Stats stats;

  void work() {
    std::unique_lock lock{mutex};
    for (;;) {
      ready.wait(lock, [this] { return closing || !queue.empty(); });
      if (closing) return;
      const std::shared_ptr<Call> call = std::move(queue.front());
      queue.pop_front();
      if (call->deadline.passed(clock.now())) {
        call->state = CallState::dropped;
        ++stats.cancelled;
      } else {
        call->state = CallState::running;
        lock.unlock();
        call->work();
        call->work = nullptr;
        lock.lock();
        call->state = CallState::done;
      }
      call->waiter->wake(call->waiter);
    }
  }

  void close() {
    const std::lock_guard lock{mutex};
    closing = true;
    for (const auto& call : queue) {
      call->state = CallState::dropped;
      call->waiter->wake(call->waiter);
    }
    queue.clear();
    ready.notify_all();
  }

  // False if the call was no longer waiting.
  bool leave(const std::shared_ptr<Call>& call) {
    const std::lock_guard lock{mutex};
    if (call->state != CallState::waiting) return false;
    call->state = CallState::dropped;
    ++stats.cancelled;
    std::erase(queue, call);
    return true;
  }
};

// Takes a call out of the queue when its coroutine ends in whatever way, destruction included.
class WorkPool::Leave {
 public:
  Leave(std::shared_ptr<Shared> shared, std::shared_ptr<Call> call)
      : shared_{std::move(shared)}, call_{std::move(call)} {}
  ~Leave() { shared_->leave(call_); }
  Leave(const Leave&) = delete;
  Leave& operator=(const Leave&) = delete;

 private:
  std::shared_ptr<Shared> shared_;
  std::shared_ptr<Call> call_;
};

WorkPool::WorkPool(Options options, const Clock& clock)
    : options_{options}, clock_{clock}, shared_{std::make_shared<Shared>(clock)} {
  threads_.reserve(options_.threads);
  for (std::size_t i = 0; i < options_.threads; ++i) {
    threads_.emplace_back([shared = shared_] { shared->work(); });
  }
}

WorkPool::~WorkPool() {
  shared_->close();
}

Task<Result<void>> WorkPool::run(std::function<void()> work, Deadline deadline) {
  const std::shared_ptr<Shared> shared = shared_;  // the pool may be gone when this resumes
  const BootTime now = clock_.now();
  if (deadline.passed(now)) co_return fail(ErrorCode::timeout, "no time left");
  const auto call = std::make_shared<Call>();
  call->work = std::move(work);
  call->deadline = deadline;
  {
    const std::lock_guard lock{shared->mutex};
    if (shared->closing) co_return fail(ErrorCode::unavailable, "shutting down");
    if (shared->queue.size() >= options_.queue) {
      ++shared->stats.refused;
      const auto wait = options_.typical_work * options_.queue / options_.threads;
      Error full{.code = ErrorCode::overloaded, .detail = "too much work is waiting"};
      full.retry_after = std::chrono::ceil<std::chrono::seconds>(wait);
      co_return fail(std::move(full));
    }
    shared->queue.push_back(call);
  }
  shared->ready.notify_one();
  const Leave leave{shared, call};
  const Waiter::Outcome outcome =
      co_await Waiter::wait_while_wanted(call->waiter, deadline.at - now);
  if (outcome == Waiter::Outcome::gone) {
    if (shared->leave(call)) co_return fail(ErrorCode::cancelled, "the client has gone");
    // What has begun is waited for: its outcome counts, or going away in time would make guesses
    // free.
    [[maybe_unused]] const bool woken =
        co_await Waiter::wait(call->waiter, deadline.at - shared->clock.now());
  }
  const std::lock_guard lock{shared->mutex};
  if (call->state == CallState::done) co_return Result<void>{};
  if (shared->closing) co_return fail(ErrorCode::unavailable, "shutting down");
  co_return fail(ErrorCode::timeout, "the deadline passed");
}

WorkPool::Stats WorkPool::stats() const {
  const std::lock_guard lock{shared_->mutex};
  Stats stats = shared_->stats;
  stats.queued = shared_->queue.size();
  return stats;
}

}  // namespace um
