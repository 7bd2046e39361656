#include "async/work_pool.hpp"

#include <algorithm>

#include "async/handoff.hpp"

namespace um {

struct WorkPool::Item {
  enum class State { waiting, running, done, dropped };

  std::function<void()> work;
  Deadline deadline;
  State state = State::waiting;  // guarded by Shared::mutex
  Handoff ended{};
};

struct WorkPool::Shared {
  explicit Shared(const Clock& c) : clock{c} {}

  const Clock& clock;
  mutable std::mutex mutex;
  std::condition_variable ready;
  std::deque<std::shared_ptr<Item>> queue;
  bool closing = false;
  Stats stats;

  void work() {
    std::unique_lock lock{mutex};
    for (;;) {
      ready.wait(lock, [this] { return closing || !queue.empty(); });
      if (closing) return;
      const std::shared_ptr<Item> item = std::move(queue.front());
      queue.pop_front();
      if (item->deadline.passed(clock.now())) {
        item->state = Item::State::dropped;
        ++stats.cancelled;
      } else {
        item->state = Item::State::running;
        lock.unlock();
        item->work();
        item->work = nullptr;
        lock.lock();
        item->state = Item::State::done;
      }
      item->ended.wake();
    }
  }

  void close() {
    const std::lock_guard lock{mutex};
    closing = true;
    for (const auto& item : queue) {
      item->state = Item::State::dropped;
      item->ended.wake();
    }
    queue.clear();
    ready.notify_all();
  }

  // False: a thread has begun it, or it has left already.
  bool leave(const std::shared_ptr<Item>& item) {
    const std::lock_guard lock{mutex};
    if (item->state != Item::State::waiting) return false;
    item->state = Item::State::dropped;
    ++stats.cancelled;
    std::erase(queue, item);
    return true;
  }
};

// However the coroutine of an item ends, destruction included, the item leaves the queue.
class WorkPool::Leave {
 public:
  Leave(std::shared_ptr<Shared> shared, std::shared_ptr<Item> item)
      : shared_{std::move(shared)}, item_{std::move(item)} {}
  ~Leave() { shared_->leave(item_); }
  Leave(const Leave&) = delete;
  Leave& operator=(const Leave&) = delete;

 private:
  std::shared_ptr<Shared> shared_;
  std::shared_ptr<Item> item_;
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
  if (deadline.passed(clock_.now())) co_return fail(ErrorCode::timeout, "no time left");
  const auto item = std::make_shared<Item>();
  item->work = std::move(work);
  item->deadline = deadline;
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
    shared->queue.push_back(item);
  }
  shared->ready.notify_one();
  const Leave leave{shared, item};
  const Handoff::End end = co_await item->ended.wait_while_wanted(deadline, shared->clock);
  if (end == Handoff::End::cancelled) {
    if (shared->leave(item)) co_return fail(ErrorCode::cancelled, "the client has gone");
    // Work that has begun is waited for, because its outcome counts: otherwise a client could make
    // guesses for free by disconnecting in time.
    co_await item->ended.wait(deadline, shared->clock);
  }
  const std::lock_guard lock{shared->mutex};
  if (item->state == Item::State::done) co_return Result<void>{};
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
