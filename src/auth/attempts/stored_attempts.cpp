#include "auth/attempts/stored_attempts.hpp"

#include <algorithm>
#include <mutex>
#include <stdexcept>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/this_coro.hpp>

#include "async/waiter.hpp"

namespace um {
namespace {

static_assert(AttemptSketch::kRows == AttemptStore::kRows);

// Addresses stand behind accounts.
constexpr std::int32_t kFirstAddress =
    static_cast<std::int32_t>(AttemptSketch::kRows) * AttemptSketch::kAccountCells;

SharedAttempts::Answer shared(const AttemptStore::Answer& answer) {
  switch (answer.kind) {
    case AttemptStore::Answer::Kind::taken:
      return SharedAttempts::Taken{.place = answer.number};
    case AttemptStore::Answer::Kind::busy:
      return SharedAttempts::Busy{};
    case AttemptStore::Answer::Kind::refused:
      break;
  }
  return SharedAttempts::Refused{.wait = std::chrono::milliseconds{answer.number}};
}

}  // namespace

// Between the one who wants a place and the call of the store, which goes on without him.
class StoredAttempts::Question {
 public:
  // False: nobody waits any more.
  bool answer(const Result<AttemptStore::Answer>& said) {
    const std::lock_guard lock{mutex_};
    if (given_up_) return false;
    if (said) answer_ = shared(*said);
    waiter_->wake(waiter_);
    return true;
  }
  // nullopt: it has not come.
  std::optional<Answer> give_up() {
    const std::lock_guard lock{mutex_};
    given_up_ = true;
    return std::exchange(answer_, std::nullopt);
  }
  std::shared_ptr<Waiter> waiter() const { return waiter_; }

 private:
  const std::shared_ptr<Waiter> waiter_ = std::make_shared<Waiter>();
  std::mutex mutex_;
  std::optional<Answer> answer_;
  bool given_up_ = false;
};

StoredAttempts::StoredAttempts(Options options, AttemptStore& store, const Clock& clock,
                               boost::asio::any_io_executor executor)
    : options_{std::move(options)},
      sketch_{options_.deployment_key},
      store_{store},
      clock_{clock},
      executor_{std::move(executor)} {
  check_shared_limits(options_.limits);
  if (options_.limits.window != AttemptStore::kWindow)
    throw std::invalid_argument("the window of attempts is another one in the database");
}

AttemptStore::Cells StoredAttempts::cells(const Who& who) const {
  AttemptStore::Cells cells{.account = sketch_.account(who.account),
                            .address = sketch_.address(who.address)};
  for (std::int32_t& cell : cells.address) cell += kFirstAddress;
  return cells;
}

Task<std::optional<SharedAttempts::Answer>> StoredAttempts::take(Who who, Deadline deadline) {
  const auto question = std::make_shared<Question>();
  const std::chrono::nanoseconds at_most =
      std::min<std::chrono::nanoseconds>(deadline.at - clock_.now(), options_.longest_wait);
  const boost::asio::any_io_executor executor = co_await boost::asio::this_coro::executor;
  boost::asio::co_spawn(executor, ask(question, std::move(who)), boost::asio::detached);
  co_await Waiter::wait(question->waiter(), at_most);
  co_return question->give_up();
}

Task<void> StoredAttempts::ask(std::shared_ptr<Question> question, Who who) {
  const AttemptStore::Take wanted{.cells = cells(who),
                                  .account_limit = options_.limits.failures_per_account,
                                  .address_limit = options_.limits.failures_per_address};
  const auto until = Deadline::after(clock_, options_.longest_call);
  const Result<AttemptStore::Answer> answer = co_await store_.take(wanted, until);
  if (question->answer(answer)) co_return;
  if (answer && answer->kind == AttemptStore::Answer::Kind::taken)
    end(who, Taken{.place = answer->number}, Outcome::succeeded);
}

void StoredAttempts::end(const Who& who, Taken place, Outcome outcome) {
  const AttemptStore::End ended{
      .cells = cells(who), .taken = place.place, .failed = outcome == Outcome::failed};
  const auto until = Deadline::after(clock_, options_.longest_call);
  boost::asio::co_spawn(executor_, store_.end(ended, until), boost::asio::detached);
}

}  // namespace um
