#include "drivers/redis/link.hpp"

#include <algorithm>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/random.hpp"
#include "drivers/redis/greeting.hpp"

namespace um::redis {
namespace {

// A connection that lived this long and was closed while nobody used it did its work: servers end
// idle connections.
constexpr std::chrono::seconds kGoodLife{1};

double random_share() {
  constexpr double kRange = 9007199254740992.0;  // 2^53: what a double holds exactly
  return static_cast<double>(random_u64() >> 11U) / kRange;
}

void one_more(std::atomic<std::uint64_t>& counter) {
  counter.fetch_add(1, std::memory_order_relaxed);
}

std::unexpected<Failure> failed(Failure::Kind kind, std::string message) {
  return std::unexpected{Failure{.kind = kind, .message = std::move(message)}};
}

}  // namespace

// Whatever becomes of the coroutine that waits, its place in the row is given up properly.
class Link::Wait {
 public:
  Wait(std::shared_ptr<Connection> connection, Pipeline::Ticket ticket)
      : connection_{std::move(connection)}, ticket_{ticket} {}
  ~Wait() { give_up(Breakage::cancelled); }
  Wait(const Wait&) = delete;
  Wait& operator=(const Wait&) = delete;
  void give_up(Breakage reason) { connection_->abandon(ticket_, reason); }

 private:
  const std::shared_ptr<Connection> connection_;
  const Pipeline::Ticket ticket_;
};

Link::Link(boost::asio::io_context& loop, std::shared_ptr<const LinkOptions> options,
           const Clock& clock)
    : loop_{loop},
      options_{std::move(options)},
      clock_{clock},
      pause_{loop},
      breaker_{options_->breaker} {}

std::shared_ptr<Connection> Link::make_connection() {
  Connection::Options options{.limits = options_->limits,
                              .greeting = greeting_for(options_->endpoint, options_->client_name),
                              .connect_timeout = options_->connect_timeout,
                              .on_answer = [this](const Reply&) { breaker_.answered(); }};
  return std::make_shared<Connection>(loop_, options_->tls, std::move(options));
}

Task<void> Link::run() {
  const auto self = shared_from_this();
  while (!stopped_) {
    breaker_.begin_connect();
    publish();
    const auto connection = make_connection();
    current_ = connection;
    connecting_since_ = clock_.now();
    const bool connected = co_await connection->open(options_->endpoint);
    const BootTime since = clock_.now();
    if (connected) {
      breaker_.connected();
      one_more(counters_.connections);
      publish();
      tell_outages();
      co_await connection->serve();
    }
    current_ = nullptr;
    const std::chrono::nanoseconds pause = after(*connection, connected, since);
    publish();
    tell_outages();
    if (pause.count() <= 0 || stopped_) continue;
    pause_.expires_after(pause);
    boost::system::error_code ended;
    co_await pause_.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, ended));
  }
}

// How long to wait before the next connection.
std::chrono::nanoseconds Link::after(const Connection& connection, bool was_connected,
                                     BootTime since) {
  const Breakage why = connection.breakage();
  one_more(counters_.breakages.at(static_cast<std::size_t>(why)));
  {
    const std::lock_guard lock{mutex_};
    last_breakage_ = connection.why();
  }
  if (why == Breakage::stopped || why == Breakage::cancelled) return {};
  if (!was_connected || why == Breakage::not_ready || why == Breakage::refused)
    return breaker_.connect_failed(random_share());
  if (why == Breakage::closed && connection.was_idle() && clock_.now() - since > kGoodLife)
    return {};
  return breaker_.connection_lost(random_share());
}

void Link::stop() {
  stopped_ = true;
  pause_.cancel();
  if (current_) current_->break_off(Breakage::stopped, "the client was stopped");
}

// A connection that is being made is waited for as long as one call may take, and no longer.
bool Link::worth_trying(BootTime now) const {
  if (stopped_ || breaker_.state() != Breaker::State::closed) return false;
  if (!current_ || current_->broken()) return false;
  return current_->ready() || now - connecting_since_ < options_->timeout;
}

Task<Outcome<Reply>> Link::call(Command command, Deadline deadline) {
  const auto self = shared_from_this();
  one_more(counters_.calls);
  Outcome<Reply> outcome = co_await attempt(command, deadline);
  count(outcome);
  co_return outcome;
}

Task<Outcome<Reply>> Link::attempt(const Command& command, Deadline deadline) {
  const BootTime now = clock_.now();
  if (!worth_trying(now)) co_return failed(Failure::Kind::unavailable, "the server is away");
  const auto left = std::min(deadline.at - now, options_->timeout);
  if (left.count() <= 0) co_return failed(Failure::Kind::timeout, "no time left");
  const auto connection = current_;
  Connection::Call call{loop_};
  const Outcome<Pipeline::Ticket> ticket = connection->add(command, call);
  if (!ticket) co_return std::unexpected{ticket.error()};
  Wait wait{connection, *ticket};
  if (!call.outcome) {
    call.timer.expires_after(left);
    boost::system::error_code ended;
    co_await call.timer.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, ended));
    // An answer that came at the last moment is one.
    if (!call.outcome) {
      const bool cancelled = ended == boost::asio::error::operation_aborted;
      wait.give_up(cancelled ? Breakage::cancelled : Breakage::timeout);
      if (cancelled) co_return failed(Failure::Kind::cancelled, "the caller gave up");
      co_return failed(Failure::Kind::timeout, "no answer in time");
    }
  }
  Outcome<Reply> outcome = std::move(*call.outcome);
  if (outcome && outcome->kind == Reply::Kind::error) {
    co_return std::unexpected{Failure{.kind = Failure::Kind::refused,
                                      .error = classify_error(outcome->text),
                                      .message = printable(outcome->text)}};
  }
  co_return outcome;
}

bool Link::reserve() {
  if (background_.fetch_add(1, std::memory_order_relaxed) < options_->background) return true;
  background_.fetch_sub(1, std::memory_order_relaxed);
  one_more(counters_.dropped);
  return false;
}

void Link::send(Command command) {
  if (!worth_trying(clock_.now())) {
    background_.fetch_sub(1, std::memory_order_relaxed);
    one_more(counters_.dropped);
    return;
  }
  boost::asio::co_spawn(loop_, send_one(std::move(command)), boost::asio::detached);
}

Task<void> Link::send_one(Command command) {
  const auto self = shared_from_this();
  [[maybe_unused]] const Outcome<Reply> ignored =
      co_await call(std::move(command), Deadline::never());
  background_.fetch_sub(1, std::memory_order_relaxed);
}

void Link::count(const Outcome<Reply>& outcome) {
  if (outcome) return one_more(counters_.answers);
  switch (outcome.error().kind) {
    case Failure::Kind::unavailable:
      return one_more(counters_.unavailable);
    case Failure::Kind::overloaded:
      return one_more(counters_.overloaded);
    case Failure::Kind::timeout:
      return one_more(counters_.timeouts);
    case Failure::Kind::cancelled:
      return one_more(counters_.cancelled);
    case Failure::Kind::lost:
      return one_more(counters_.lost);
    case Failure::Kind::refused:
      return one_more(counters_.refused.at(static_cast<std::size_t>(outcome.error().error)));
  }
}

void Link::publish() {
  counters_.connected.store(current_ && current_->ready(), std::memory_order_relaxed);
  counters_.breaker.store(breaker_.state(), std::memory_order_relaxed);
  counters_.openings.store(breaker_.openings(), std::memory_order_relaxed);
}

void Link::tell_outages() {
  const bool outage = breaker_.state() != Breaker::State::closed;
  if (outage == told_outage_ || stopped_) return;
  told_outage_ = outage;
  if (!outage) return options_->outages->end();
  const std::lock_guard lock{mutex_};
  options_->outages->begin(last_breakage_);
}

void Link::add_to(Stats& stats) const {
  constexpr auto kRelaxed = std::memory_order_relaxed;
  const Breaker::State breaker = counters_.breaker.load(kRelaxed);
  ++stats.links;
  stats.connected += counters_.connected.load(kRelaxed) ? 1U : 0U;
  stats.open += breaker == Breaker::State::closed ? 0U : 1U;
  stats.probing += breaker == Breaker::State::probing ? 1U : 0U;
  stats.calls += counters_.calls.load(kRelaxed);
  stats.answers += counters_.answers.load(kRelaxed);
  stats.timeouts += counters_.timeouts.load(kRelaxed);
  stats.lost += counters_.lost.load(kRelaxed);
  stats.unavailable += counters_.unavailable.load(kRelaxed);
  stats.overloaded += counters_.overloaded.load(kRelaxed);
  stats.cancelled += counters_.cancelled.load(kRelaxed);
  for (std::size_t i = 0; i < kErrorClasses; ++i)
    stats.refused.at(i) += counters_.refused.at(i).load(kRelaxed);
  stats.dropped += counters_.dropped.load(kRelaxed);
  stats.connections += counters_.connections.load(kRelaxed);
  stats.breaker_openings += counters_.openings.load(kRelaxed);
  for (std::size_t i = 0; i < kBreakages; ++i)
    stats.breakages.at(i) += counters_.breakages.at(i).load(kRelaxed);
  const std::lock_guard lock{mutex_};
  if (!last_breakage_.empty()) stats.last_breakage = last_breakage_;
}

}  // namespace um::redis
