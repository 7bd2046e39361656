#include "storage/postgres/usage_batcher.hpp"

#include <algorithm>

#include <boost/asio/this_coro.hpp>

#include "async/handoff.hpp"
#include "storage/postgres/usage_writes.hpp"

namespace um {

namespace asio = boost::asio;

namespace {
// The clock of the deadlines of the driver, which is not the database's clock in every test.
const SystemClock kClock{};
}  // namespace

struct PostgresUsageBatcher::Waiting final : UsageQueue::Entry {
  using Entry::Entry;
  Handoff news{};  // there is an answer, or this caller leads the next batch
  std::optional<Result<UsageTotals>> answer{};
};

// However the coroutine of a caller ends, its record leaves the queue and another caller leads.
class PostgresUsageBatcher::Presence {
 public:
  Presence(PostgresUsageBatcher& batcher, std::shared_ptr<Waiting> place)
      : batcher_{batcher}, place_{std::move(place)} {}
  Presence(const Presence&) = delete;
  Presence& operator=(const Presence&) = delete;
  ~Presence() { batcher_.leave(place_); }

 private:
  PostgresUsageBatcher& batcher_;
  std::shared_ptr<Waiting> place_;
};

// A batch that is being written. However that ends, every member is answered.
class PostgresUsageBatcher::Writing {
 public:
  Writing(PostgresUsageBatcher& batcher, Batch batch)
      : batcher_{batcher}, batch_{std::move(batch)} {}
  Writing(const Writing&) = delete;
  Writing& operator=(const Writing&) = delete;
  ~Writing() {
    answers_.resize(batch_.size(), fail(ErrorCode::unknown_outcome, "the service is stopping"));
    batcher_.finish(batch_, std::move(answers_));
  }

  const Batch& batch() const { return batch_; }
  void answer(Answers answers) { answers_ = std::move(answers); }

 private:
  PostgresUsageBatcher& batcher_;
  Batch batch_;
  Answers answers_;
};

Task<Result<UsageTotals>> PostgresUsageBatcher::add(UsageRecord usage, Deadline deadline) {
  const auto place = std::make_shared<Waiting>(std::move(usage), deadline);
  {
    const std::scoped_lock lock{mutex_};
    if (!queue_.push(place)) {
      co_return fail(Error{.code = ErrorCode::overloaded,
                           .detail = "too much usage waits to be recorded",
                           .retry_after = std::chrono::seconds{1}});
    }
  }
  const Presence presence{*this, place};
  for (;;) {
    Look seen = look(place);
    if (seen.answer) co_return std::move(*seen.answer);
    if (!seen.batch.empty()) {
      co_await lead(std::move(seen.batch));
    } else if (deadline.passed(kClock.now())) {
      co_return fail(ErrorCode::timeout, "the database did not answer in time");
    } else {
      co_await place->news.wait(deadline, kClock);
    }
  }
}

PostgresUsageBatcher::Look PostgresUsageBatcher::look(const std::shared_ptr<Waiting>& place) {
  const std::scoped_lock lock{mutex_};
  if (place->answer) return {.answer = place->answer};
  return {.batch = queue_.take()};
}

Task<void> PostgresUsageBatcher::lead(Batch batch) {
  // The leader finishes the batch even if its client disconnects: other callers wait for it.
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  Writing writing{*this, std::move(batch)};
  std::vector<UsageRecord> usages;
  Deadline deadline{BootTime::min()};
  for (const auto& ticket : writing.batch()) {
    usages.push_back(ticket->record);
    deadline.at = std::max(deadline.at, ticket->deadline.at);
  }
  db_.counters().writes.add(usages.size() - 1);  // the further callers that it answered
  auto answers = co_await record(usages, deadline);
  if (answers) {
    writing.answer(std::move(*answers));
  } else {
    writing.answer(Answers(usages.size(), std::unexpected(answers.error())));
  }
  co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
}

Task<Result<PostgresUsageBatcher::Answers>> PostgresUsageBatcher::record(
    const std::vector<UsageRecord>& usages, Deadline deadline) {
  const WallTime now = db_.clock().wall_now();
  auto together = co_await record_usage(db_, usages, {.now = now, .deadline = deadline});
  const bool refused = !together && (together.error().code == ErrorCode::invalid ||
                                     together.error().code == ErrorCode::internal);
  if (!refused || usages.size() == 1) co_return together;
  // The database refused one of the records, and does not say which: each is tried alone.
  Answers answers;
  for (const UsageRecord& usage : usages) {
    const std::vector<UsageRecord> alone{usage};
    auto answer = co_await record_usage(db_, alone, {.now = now, .deadline = deadline});
    if (answer) {
      answers.push_back(std::move(answer->front()));
    } else {
      answers.emplace_back(std::unexpected(answer.error()));
    }
  }
  co_return answers;
}

void PostgresUsageBatcher::finish(const Batch& batch, Answers answers) {
  std::shared_ptr<Waiting> next;
  {
    const std::scoped_lock lock{mutex_};
    queue_.finish(batch);
    for (std::size_t i = 0; i < batch.size(); ++i) {
      static_cast<Waiting&>(*batch[i]).answer = std::move(answers[i]);
    }
    next = std::static_pointer_cast<Waiting>(queue_.next());
  }
  for (const auto& ticket : batch) static_cast<Waiting&>(*ticket).news.wake();
  if (next) next->news.wake();
}

void PostgresUsageBatcher::leave(const std::shared_ptr<Waiting>& place) {
  std::shared_ptr<Waiting> next;
  {
    const std::scoped_lock lock{mutex_};
    // It may have been woken to lead a batch, and may not have resumed.
    if (queue_.withdraw(place)) next = std::static_pointer_cast<Waiting>(queue_.next());
  }
  if (next) next->news.wake();
}

}  // namespace um
