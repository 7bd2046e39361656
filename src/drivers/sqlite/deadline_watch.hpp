// DeadlineWatch: the thread that answers jobs whose deadline passes while they wait in a queue,
// also when the thread that should execute them is stuck in a slow disk.
//
// It sleeps until the earliest deadline it knows. A push wakes it only if its own deadline is
// earlier than that, which with deadlines of equal length means about once per such length, not
// once per job. Thread safety: any thread.
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "base/deadline.hpp"
#include "drivers/sqlite/job_queue.hpp"

namespace um::sqlite {

class DeadlineWatch {
 public:
  explicit DeadlineWatch(const Clock& clock) : clock_{clock} {}
  ~DeadlineWatch() { stop(); }

  // Before start(); the queues outlive stop().
  void watch(JobQueue& queue) { queues_.push_back(&queue); }
  void start();
  void stop();

  void on_deadline(Deadline deadline);

 private:
  void loop();

  const Clock& clock_;
  std::vector<JobQueue*> queues_;
  std::atomic<BootTime> wakes_at_{BootTime::max()};
  std::mutex mutex_;
  std::condition_variable changed_;
  bool look_again_ = false;  // guarded by mutex_
  bool stopping_ = false;    // guarded by mutex_
  std::thread thread_;
};

}  // namespace um::sqlite
