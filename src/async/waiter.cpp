#include "async/waiter.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace um {
namespace {

// A timer's clock must not overflow when "for ever" is added to now.
constexpr std::chrono::nanoseconds kLongest = std::chrono::hours{24};

}  // namespace

// The timer is known to the waker only while its frame is alive.
class Waiter::Attached {
 public:
  Attached(Waiter& waiter, boost::asio::steady_timer& timer) : waiter_{waiter} {
    const std::lock_guard lock{waiter_.mutex_};
    waiter_.timer_ = &timer;
  }
  ~Attached() {
    const std::lock_guard lock{waiter_.mutex_};
    waiter_.timer_ = nullptr;
  }
  Attached(const Attached&) = delete;
  Attached& operator=(const Attached&) = delete;

  bool woken() const {
    const std::lock_guard lock{waiter_.mutex_};
    return waiter_.woken_;
  }

 private:
  Waiter& waiter_;
};

void Waiter::wake(const std::shared_ptr<Waiter>& self) {
  const std::lock_guard lock{mutex_};
  woken_ = true;
  if (timer_ == nullptr) return;
  // A timer belongs to its executor's thread; posting under the lock keeps the executor alive,
  // because the frame that waits on it cannot go away meanwhile.
  boost::asio::post(timer_->get_executor(), [self] {
    const std::lock_guard inner{self->mutex_};
    if (self->timer_ != nullptr) self->timer_->cancel();
  });
}

Task<bool> Waiter::wait(std::shared_ptr<Waiter> self, std::chrono::nanoseconds at_most) {
  boost::asio::any_io_executor executor = co_await boost::asio::this_coro::executor;
  boost::asio::steady_timer timer{executor};
  timer.expires_after(std::clamp(at_most, std::chrono::nanoseconds{0}, kLongest));
  const Attached attached{*self, timer};
  if (attached.woken()) co_return true;
  [[maybe_unused]] const auto ignored =
      co_await timer.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
  co_return attached.woken();
}

Task<Waiter::Outcome> Waiter::wait_while_wanted(std::shared_ptr<Waiter> self,
                                                std::chrono::nanoseconds at_most) {
  namespace this_coro = boost::asio::this_coro;
  const bool throws = co_await this_coro::throw_if_cancelled();
  co_await this_coro::throw_if_cancelled(false);
  co_await this_coro::reset_cancellation_state(boost::asio::enable_total_cancellation());
  const bool woken = co_await wait(std::move(self), at_most);
  const boost::asio::cancellation_state state = co_await this_coro::cancellation_state;
  const bool cancelled = state.cancelled() != boost::asio::cancellation_type::none;
  co_await this_coro::reset_cancellation_state(boost::asio::enable_terminal_cancellation());
  co_await this_coro::throw_if_cancelled(throws);
  if (woken) co_return Outcome::woken;
  co_return cancelled ? Outcome::gone : Outcome::time_passed;
}

}  // namespace um
