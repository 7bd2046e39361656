#include "drivers/sqlite/job.hpp"

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "drivers/sqlite/job_queue.hpp"

namespace um::sqlite {

namespace asio = boost::asio;

struct Job::Waiter {
  asio::any_completion_handler<void()> handler;
  asio::any_io_executor executor;  // counts as work, so that its loop waits for the answer
};

Job::Job(Deadline deadline) : deadline_{deadline} {}

Job::~Job() = default;

void Job::complete() {
  auto waiter = std::move(waiter_);
  if (!waiter) return;
  asio::post(waiter->executor, std::move(waiter->handler));
}

Task<void> submit(JobQueue& queue, std::shared_ptr<Job> job) {
  const auto initiate = [&queue, job](auto handler) {
    auto executor = asio::prefer(asio::any_io_executor{asio::get_associated_executor(handler)},
                                 asio::execution::outstanding_work.tracked);
    job->waiter_ = std::make_unique<Job::Waiter>(
        Job::Waiter{asio::any_completion_handler<void()>{std::move(handler)}, std::move(executor)});
    // The erased handler has a slot of its own and uses up the one of what it holds.
    auto slot = asio::get_associated_cancellation_slot(job->waiter_->handler);
    if (slot.is_connected()) {
      // Only marks: whether the job was begun is known under the queue's lock alone.
      slot.assign([mark = std::weak_ptr{job}](asio::cancellation_type) {
        if (const auto cancelled = mark.lock()) {
          cancelled->cancelled_.store(true, std::memory_order_relaxed);
        }
      });
    }
    queue.push(job);
  };
  co_await asio::async_initiate<const asio::use_awaitable_t<>, void()>(initiate,
                                                                       asio::use_awaitable);
}

}  // namespace um::sqlite
