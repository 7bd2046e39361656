#include "storage/postgres/usage_batcher.hpp"

#include <algorithm>

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "storage/postgres/usage_writes.hpp"

namespace um {

namespace asio = boost::asio;

// Its executor runs one handler at a time, so a wake-up that was sent after the coroutine looked
// arrives after it went to sleep.
struct PostgresUsageBatcher::Waiting final : UsageQueue::Entry,
                                             std::enable_shared_from_this<Waiting> {
  Waiting(const asio::any_io_executor& executor, UsageRecord usage, Deadline until)
      : Entry{std::move(usage), until}, timer{executor} {}

  // Returns after wake() or at the deadline, and now and then for no reason.
  Task<void> sleep() {
    // The timer's clock stands still while the machine sleeps, the deadline's does not.
    constexpr std::chrono::nanoseconds kLongest = std::chrono::minutes{1};
    const auto left = deadline.at == BootTime::max() ? kLongest : deadline.at - BootClock::now();
    timer.expires_after(std::clamp(left, std::chrono::nanoseconds{0}, kLongest));
    boost::system::error_code woken;
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, woken));
  }
  void wake() {
    asio::post(timer.get_executor(), [self = shared_from_this()] { self->timer.cancel(); });
  }

  asio::steady_timer timer;
  std::optional<Result<UsageTotals>> answer{};
};

// However a caller ends, it does not leave its record waiting, nor the others without a flight.
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

// However a flight ends, everybody in it is answered.
class PostgresUsageBatcher::Flight {
 public:
  Flight(PostgresUsageBatcher& batcher, Batch batch)
      : batcher_{batcher}, batch_{std::move(batch)} {}
  Flight(const Flight&) = delete;
  Flight& operator=(const Flight&) = delete;
  ~Flight() {
    answers_.resize(batch_.size(), fail(ErrorCode::unknown_outcome, "the service is stopping"));
    batcher_.land(batch_, std::move(answers_));
  }

  const Batch& batch() const { return batch_; }
  void answer(Answers answers) { answers_ = std::move(answers); }

 private:
  PostgresUsageBatcher& batcher_;
  Batch batch_;
  Answers answers_;
};

Task<Result<UsageTotals>> PostgresUsageBatcher::add(UsageRecord usage, Deadline deadline) {
  const auto executor = co_await asio::this_coro::executor;
  const auto place = std::make_shared<Waiting>(executor, std::move(usage), deadline);
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
      co_await fly(std::move(seen.batch));
    } else if (deadline.passed(BootClock::now())) {
      co_return fail(ErrorCode::timeout, "the database did not answer in time");
    } else {
      co_await place->sleep();
    }
  }
}

PostgresUsageBatcher::Look PostgresUsageBatcher::look(const std::shared_ptr<Waiting>& place) {
  const std::scoped_lock lock{mutex_};
  if (place->answer) return {.answer = place->answer};
  return {.batch = queue_.take()};
}

Task<void> PostgresUsageBatcher::fly(Batch batch) {
  // Whose client has gone still flies to the end what it took along for others.
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  Flight flight{*this, std::move(batch)};
  std::vector<UsageRecord> usages;
  Deadline deadline{BootTime::min()};
  for (const auto& ticket : flight.batch()) {
    usages.push_back(ticket->record);
    deadline.at = std::max(deadline.at, ticket->deadline.at);
  }
  db_.count_writes(usages.size() - 1);
  auto answers = co_await record(usages, deadline);
  if (answers) {
    flight.answer(std::move(*answers));
  } else {
    flight.answer(Answers(usages.size(), std::unexpected(answers.error())));
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
  // Something in one record is not to the database's taste. The others do not pay for it.
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

void PostgresUsageBatcher::land(const Batch& batch, Answers answers) {
  std::shared_ptr<Waiting> next;
  {
    const std::scoped_lock lock{mutex_};
    queue_.land(batch);
    for (std::size_t i = 0; i < batch.size(); ++i) {
      static_cast<Waiting&>(*batch[i]).answer = std::move(answers[i]);
    }
    next = std::static_pointer_cast<Waiting>(queue_.next());
  }
  for (const auto& ticket : batch) static_cast<Waiting&>(*ticket).wake();
  if (next) next->wake();
}

void PostgresUsageBatcher::leave(const std::shared_ptr<Waiting>& place) {
  std::shared_ptr<Waiting> next;
  {
    const std::scoped_lock lock{mutex_};
    // It may have been woken to fly, and not have come to it.
    if (queue_.withdraw(place)) next = std::static_pointer_cast<Waiting>(queue_.next());
  }
  if (next) next->wake();
}

}  // namespace um
