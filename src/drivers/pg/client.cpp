#include "drivers/pg/client.hpp"

#include <utility>

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/random.hpp"
#include "drivers/pg/client_impl.hpp"
#include "drivers/pg/transaction_state.hpp"

namespace um::pg {

namespace asio = boost::asio;

namespace {

constexpr int kMostRepetitions = 3;
// Before a transaction is run again; doubled each time, less up to half of it by chance.
constexpr std::chrono::milliseconds kFirstPause{4};

using Timer = asio::basic_waitable_timer<BootClock>;

Task<Outcome<Rows>> single(std::shared_ptr<Group> group, Call::Spec spec) {
  auto call = std::make_shared<Call>(std::move(spec));
  co_await perform(std::move(group), call);
  if (!call->outcome) co_return failed(std::move(call->outcome.error()));
  co_return std::move(call->outcome->back());
}

Call::Spec spec_of(const Query& query, Params params, Deadline deadline) {
  std::vector<Command> commands;
  commands.push_back({.query = &query, .params = std::move(params)});
  return {.commands = std::move(commands), .deadline = deadline};
}

}  // namespace

Client::Client(Options options, std::vector<asio::io_context*> loops)
    : impl_{std::make_shared<Impl>(std::move(options), std::move(loops))} {}

Client::~Client() = default;

Task<Outcome<Rows>> Client::look_up(const Query& query, Params params, Deadline deadline) {
  const auto executor = co_await asio::this_coro::executor;
  auto spec = spec_of(query, std::move(params), deadline);
  co_return co_await single(impl_->pool(executor).look_ups, std::move(spec));
}

Task<Outcome<Rows>> Client::scan(const Query& query, Params params, Deadline deadline) {
  const auto executor = co_await asio::this_coro::executor;
  auto spec = spec_of(query, std::move(params), deadline);
  co_return co_await single(impl_->pool(executor).scans, std::move(spec));
}

Task<Outcome<Rows>> Client::write(const Query& query, Params params, Deadline deadline) {
  const auto executor = co_await asio::this_coro::executor;
  Attempts attempts{.deadline = deadline};
  for (;;) {
    auto spec = spec_of(query, params, deadline);
    spec.effect = Call::Effect::commits;
    auto rows = co_await single(impl_->pool(executor).transactions, std::move(spec));
    if (rows) co_return rows;
    const Failure failure = rows.error();
    const Next next = co_await after_failure(attempts, failure);
    if (next == Next::hand_over) co_return failed(failure);
  }
}

std::shared_ptr<Transaction> Client::begin(const Attempts& attempts,
                                           const asio::any_io_executor& executor) {
  return std::make_shared<Transaction>(std::make_shared<Transaction::State>(Transaction::State{
      .group = impl_->pool(executor).transactions, .deadline = attempts.deadline}));
}

Task<Client::Next> Client::after_failure(Attempts& attempts, const Failure& failure) {
  // An outdated prepared statement is prepared anew by whoever uses it next.
  const bool promising = worth_repeating(failure) || (stale(failure) && attempts.repeated == 0);
  if (!promising || attempts.repeated >= kMostRepetitions) co_return Next::hand_over;
  const std::chrono::nanoseconds full = kFirstPause * (1 << attempts.repeated);
  const auto pause = full - full * static_cast<std::int64_t>(random_u64() % 512) / 1024;
  const BootTime at = BootClock::now() + pause;
  if (attempts.deadline.passed(at)) co_return Next::hand_over;
  ++attempts.repeated;
  impl_->repeated.fetch_add(1, std::memory_order_relaxed);
  const auto executor = co_await asio::this_coro::executor;
  Timer timer{executor, at};
  boost::system::error_code cancelled;
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
  co_return cancelled ? Next::hand_over : Next::again;
}

Stats Client::stats() const {
  const auto add = [](Stats::Kind& sum, const Stats::Kind& part) {
    sum.open += part.open;
    sum.busy += part.busy;
    sum.in_flight += part.in_flight;
    sum.waiting += part.waiting;
    sum.opened += part.opened;
    sum.connect_failures += part.connect_failures;
    sum.lost += part.lost;
    sum.stalled += part.stalled;
    sum.overloaded += part.overloaded;
    sum.timeouts += part.timeouts;
    sum.repeated += part.repeated;
  };
  Stats all;
  for (const auto& pool : impl_->pools) {
    add(all.look_ups, pool.look_ups->stats());
    add(all.scans, pool.scans->stats());
    add(all.transactions, pool.transactions->stats());
  }
  all.transactions.repeated += impl_->repeated.load(std::memory_order_relaxed);
  return all;
}

const Client::QueryStats& Client::query_stats() const {
  return impl_->query_stats;
}

void Client::renew() {
  impl_->renew();
}

void Client::stop() {
  impl_->stop();
}

}  // namespace um::pg
