#include "drivers/pg/call.hpp"

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "drivers/pg/group.hpp"

namespace um::pg {

namespace asio = boost::asio;

struct Call::Waiter {
  asio::any_completion_handler<void()> handler;
  asio::any_io_executor executor;  // counts as work, so that its loop waits for the answer
};

Call::Call(Spec spec)
    : Unit{std::move(spec.commands)},
      deadline{spec.deadline},
      effect{spec.effect},
      stale{spec.stale},
      wants{spec.wants},
      outcome{failed({.kind = Failure::lost, .message = "the call was never made"})},
      lease{std::move(spec.lease)} {}

Call::~Call() = default;

void Call::complete() {
  const auto waiter = std::move(waiter_);
  if (!waiter) return;
  asio::post(waiter->executor, std::move(waiter->handler));
}

Task<void> perform(std::shared_ptr<Group> group, std::shared_ptr<Call> call) {
  const auto initiate = [group, call](auto handler) {
    auto executor = asio::prefer(asio::any_io_executor{asio::get_associated_executor(handler)},
                                 asio::execution::outstanding_work.tracked);
    call->waiter_ = std::make_unique<Call::Waiter>(Call::Waiter{
        asio::any_completion_handler<void()>{std::move(handler)}, std::move(executor)});
    // The erased handler has a slot of its own and uses up the one of what it holds.
    auto slot = asio::get_associated_cancellation_slot(call->waiter_->handler);
    if (slot.is_connected()) {
      slot.assign(
          [where = std::weak_ptr{group}, what = std::weak_ptr{call}](asio::cancellation_type) {
            const auto owner = where.lock();
            if (!owner) return;
            asio::post(owner->executor(), [owner, what] {
              if (const auto cancelled = what.lock()) owner->cancel(cancelled);
            });
          });
    }
    asio::dispatch(group->executor(), [group, call] { group->submit(call); });
  };
  co_await asio::async_initiate<const asio::use_awaitable_t<>, void()>(initiate,
                                                                       asio::use_awaitable);
}

}  // namespace um::pg
