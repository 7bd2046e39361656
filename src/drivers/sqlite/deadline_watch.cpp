#include "drivers/sqlite/deadline_watch.hpp"

#include <algorithm>

namespace um::sqlite {

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
    // Announced before the queues are read: a push that this look misses finds the far time and
    // wakes us.
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
