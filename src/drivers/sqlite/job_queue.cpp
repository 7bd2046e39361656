#include "drivers/sqlite/job_queue.hpp"

#include <algorithm>

namespace um::sqlite {

namespace {

// A wait is cut into pieces of at most this length, for the clocks of tests and for far deadlines.
constexpr std::chrono::nanoseconds kLongestWait = std::chrono::seconds{1};

std::chrono::nanoseconds until(BootTime at, BootTime now) {
  if (at == BootTime::max()) return kLongestWait;
  return std::clamp<std::chrono::nanoseconds>(at - now, std::chrono::nanoseconds{0}, kLongestWait);
}

Error closing() {
  return {.code = ErrorCode::unavailable,
          .detail = "the database is being closed",
          .retry_after = std::chrono::seconds{1}};
}

}  // namespace

Task<void> submit(JobQueue& queue, std::shared_ptr<Job> job) {
  // Only a mark: the lock of the queue decides whether the job was begun.
  std::function<void()> cancel = [mark = std::weak_ptr{job}] {
    if (const auto cancelled = mark.lock()) {
      cancelled->cancelled_.store(true, std::memory_order_relaxed);
    }
  };
  queue.push(job);
  co_await job->ended_.wait_for_answer(std::move(cancel));
}

JobQueue::JobQueue(Options options) : options_{std::move(options)} {}

void JobQueue::push(std::shared_ptr<Job> job) {
  const Deadline deadline = job->deadline();
  {
    std::unique_lock lock{mutex_};
    if (closed_ || jobs_.size() >= options_.capacity) {
      const bool was_closed = closed_;
      ++refused_;
      lock.unlock();
      job->fail(was_closed ? closing()
                           : Error{.code = ErrorCode::overloaded,
                                   .detail = "too many requests wait for the database",
                                   .retry_after = std::chrono::seconds{1}});
      job->complete();
      return;
    }
    jobs_.push_back(std::move(job));
  }
  changed_.notify_one();
  if (options_.on_deadline) options_.on_deadline(deadline);
}

void JobQueue::wait(BootTime at) {
  std::unique_lock lock{mutex_};
  const auto ready = [this] { return !jobs_.empty() || closed_ || woken_; };
  while (!ready()) {
    const BootTime now = options_.clock->now();
    if (now >= at) break;
    changed_.wait_for(lock, until(at, now), ready);
  }
  woken_ = false;
}

void JobQueue::pause(std::chrono::nanoseconds time) {
  std::unique_lock lock{mutex_};
  changed_.wait_for(lock, time, [this] { return woken_; });
  woken_ = false;
}

void JobQueue::wake() {
  {
    const std::scoped_lock lock{mutex_};
    woken_ = true;
  }
  changed_.notify_all();
}

std::vector<std::shared_ptr<Job>> JobQueue::take(std::size_t limit) {
  Jobs taken;
  Jobs late;
  Error error;
  {
    const std::scoped_lock lock{mutex_};
    const BootTime now = options_.clock->now();
    error = expiry();
    while (!jobs_.empty() && taken.size() < limit) {
      auto& job = jobs_.front();
      (over(*job, now) ? late : taken).push_back(std::move(job));
      jobs_.pop_front();
    }
  }
  fail_each(late, error);
  return taken;
}

BootTime JobQueue::expire(BootTime now) {
  Jobs late;
  Error error;
  BootTime earliest = BootTime::max();
  {
    const std::scoped_lock lock{mutex_};
    error = expiry();
    std::erase_if(jobs_, [&](const std::shared_ptr<Job>& job) {
      if (over(*job, now)) {
        late.push_back(job);
        return true;
      }
      earliest = std::min(earliest, job->deadline().at);
      return false;
    });
  }
  fail_each(late, error);
  return earliest;
}

void JobQueue::fail_all(const Error& error) {
  Jobs failed;
  {
    const std::scoped_lock lock{mutex_};
    failed.assign(jobs_.begin(), jobs_.end());
    jobs_.clear();
  }
  fail_each(failed, error);
}

void JobQueue::set_obstacle(std::optional<Error> obstacle) {
  const std::scoped_lock lock{mutex_};
  obstacle_ = std::move(obstacle);
}

void JobQueue::close() {
  {
    const std::scoped_lock lock{mutex_};
    closed_ = true;
  }
  changed_.notify_all();
}

bool JobQueue::closed() const {
  const std::scoped_lock lock{mutex_};
  return closed_;
}

bool JobQueue::empty() const {
  return size() == 0;
}

std::size_t JobQueue::size() const {
  const std::scoped_lock lock{mutex_};
  return jobs_.size();
}

std::uint64_t JobQueue::refused() const {
  const std::scoped_lock lock{mutex_};
  return refused_;
}

Error JobQueue::expiry() const {
  if (obstacle_) return *obstacle_;
  return {.code = ErrorCode::timeout, .detail = "the database did not get to it in time"};
}

void JobQueue::fail_each(const Jobs& jobs, const Error& error) {
  for (const auto& job : jobs) {
    job->fail(error);
    job->complete();
  }
}

void DeadlineWatch::start() {
  thread_ = std::thread{&DeadlineWatch::loop, this};
}

void DeadlineWatch::stop() {
  {
    const std::scoped_lock lock{mutex_};
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void DeadlineWatch::on_deadline(Deadline deadline) {
  if (deadline.at >= wakes_at_.load()) return;
  {
    const std::scoped_lock lock{mutex_};
    look_again_ = true;
  }
  changed_.notify_all();
}

void DeadlineWatch::loop() {
  std::unique_lock lock{mutex_};
  while (!stopping_) {
    look_again_ = false;
    // Stored before the queues are read: a push that this pass misses finds the far time and wakes
    // this thread.
    wakes_at_ = BootTime::max();
    lock.unlock();
    const BootTime now = clock_.now();
    BootTime earliest = BootTime::max();
    for (JobQueue* queue : queues_) earliest = std::min(earliest, queue->expire(now));
    lock.lock();
    wakes_at_ = earliest;
    const auto ready = [this] { return stopping_ || look_again_; };
    if (earliest == BootTime::max()) {
      changed_.wait(lock, ready);
    } else {
      changed_.wait_for(
          lock, std::min<std::chrono::nanoseconds>(earliest - now, std::chrono::seconds{1}), ready);
    }
  }
}

}  // namespace um::sqlite
