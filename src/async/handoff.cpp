#include "async/handoff.hpp"

#include <algorithm>
#include <mutex>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace um {

namespace {

namespace asio = boost::asio;
namespace this_coro = boost::asio::this_coro;

// The timer's clock stands still while the machine sleeps, the clock of a deadline does not: after
// this long a wait looks at the deadline's clock again.
constexpr std::chrono::nanoseconds kLongestPause = std::chrono::minutes{1};

// Whether this thread runs the event loop of the executor. A strand is never recognised: a wake-up
// then takes one more handler.
bool runs_here(const asio::any_io_executor& executor) {
  const auto* loop = executor.target<asio::io_context::executor_type>();
  return loop != nullptr && loop->running_in_this_thread();
}

}  // namespace

struct Handoff::State {
  std::mutex mutex;
  bool woken = false;
  asio::steady_timer* timer = nullptr;  // in the frame of the wait; null while there is none
  std::uint64_t waits = 0;              // so many have begun
};

// Makes the timer known to wake() for as long as the frame of the wait lives.
class Handoff::Attached {
 public:
  Attached(std::shared_ptr<State> state, asio::steady_timer& timer) : state_{std::move(state)} {
    const std::lock_guard lock{state_->mutex};
    state_->timer = &timer;
    ++state_->waits;
  }
  ~Attached() {
    const std::lock_guard lock{state_->mutex};
    state_->timer = nullptr;
  }
  Attached(const Attached&) = delete;
  Attached& operator=(const Attached&) = delete;

  bool take_wake_up() const {
    const std::lock_guard lock{state_->mutex};
    return std::exchange(state_->woken, false);
  }

 private:
  const std::shared_ptr<State> state_;
};

Handoff::Handoff() : state_{std::make_shared<State>()} {}

void Handoff::wake() const {
  const std::lock_guard lock{state_->mutex};
  state_->woken = true;
  if (state_->timer == nullptr) return;
  // A timer belongs to the thread of its executor. Posting under the lock keeps the event loop
  // alive meanwhile: the frame of the wait, which the loop owns, needs the lock to end.
  const asio::any_io_executor executor = state_->timer->get_executor();
  if (runs_here(executor)) {
    state_->timer->cancel();
    return;
  }
  asio::post(executor, [state = state_, wait = state_->waits] {
    const std::lock_guard inner{state->mutex};
    if (state->timer != nullptr && state->waits == wait) state->timer->cancel();
  });
}

Task<Handoff::End> Handoff::wait(Deadline deadline, const Clock& clock) const {
  return wait_on(state_, deadline, &clock);
}

Task<Handoff::End> Handoff::wait_while_wanted(Deadline deadline, const Clock& clock) const {
  return wait_while_wanted_on(state_, deadline, &clock);
}

Task<void> Handoff::wait_for_answer(std::function<void()> on_cancel) const {
  return wait_for_answer_on(state_, std::move(on_cancel));
}

// `clock` may be null if the deadline is never.
Task<Handoff::End> Handoff::wait_on(std::shared_ptr<State> state, Deadline deadline,
                                    const Clock* clock) {
  const asio::any_io_executor executor = co_await this_coro::executor;
  asio::steady_timer timer{executor};
  const Attached attached{state, timer};
  for (;;) {
    if (attached.take_wake_up()) co_return End::woken;
    bool whole = false;  // the pause reaches to the deadline
    if (deadline.at == BootTime::max()) {
      timer.expires_at(asio::steady_timer::time_point::max());
    } else {
      const std::chrono::nanoseconds left = deadline.at - clock->now();
      whole = left <= kLongestPause;
      timer.expires_after(std::clamp(left, std::chrono::nanoseconds{0}, kLongestPause));
    }
    boost::system::error_code ended;
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ended));
    if (attached.take_wake_up()) co_return End::woken;
    if (ended) co_return End::cancelled;
    if (whole) co_return End::deadline_passed;
  }
}

Task<Handoff::End> Handoff::wait_while_wanted_on(std::shared_ptr<State> state, Deadline deadline,
                                                 const Clock* clock) {
  const bool throws = co_await this_coro::throw_if_cancelled();
  co_await this_coro::throw_if_cancelled(false);
  co_await this_coro::reset_cancellation_state(asio::enable_total_cancellation());
  const End end = co_await wait_on(std::move(state), deadline, clock);
  co_await this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
  co_await this_coro::throw_if_cancelled(throws);
  co_return end;
}

Task<void> Handoff::wait_for_answer_on(std::shared_ptr<State> state,
                                       std::function<void()> on_cancel) {
  const bool throws = co_await this_coro::throw_if_cancelled();
  co_await this_coro::throw_if_cancelled(false);
  End end = co_await wait_on(state, Deadline::never(), nullptr);
  if (end == End::cancelled) on_cancel();
  while (end != End::woken) end = co_await wait_on(state, Deadline::never(), nullptr);
  co_await this_coro::throw_if_cancelled(throws);
}

}  // namespace um
