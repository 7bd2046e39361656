#include "drivers/redis/link.hpp"

#include <algorithm>

#include "base/random.hpp"
#include "base/text.hpp"

namespace um::redis {
namespace {

// A connection that lived this long and was closed while no call used it is no failure: servers
// close idle connections.
constexpr std::chrono::seconds kGoodLife{1};

void one_more(Counter& counter) {
  counter.add();
}

std::unexpected<Failure> failed(Failure::Kind kind, std::string message) {
  return std::unexpected{Failure{.kind = kind, .message = std::move(message)}};
}

}  // namespace

void Outages::begin(std::string_view why) {
  const std::scoped_lock lock{mutex_};
  if (++loops_without_ > 1) return;
  std::string line = "Redis is left out until it answers again: " + std::string{why};
  if (!password_.empty()) replace_all(line, password_.reveal(), "***");
  tell(line);
}

void Outages::end() {
  const std::scoped_lock lock{mutex_};
  if (--loops_without_ == 0) tell("Redis is used again");
}

// The place of a call in the queue of a connection. However its coroutine ends, the place is given
// up.
class Link::Place {
 public:
  Place(std::shared_ptr<Connection> connection, Pipeline::Ticket ticket)
      : connection_{std::move(connection)}, ticket_{ticket} {}
  ~Place() { give_up(Breakage::cancelled); }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  void give_up(Breakage reason) { connection_->abandon(ticket_, reason); }

 private:
  const std::shared_ptr<Connection> connection_;
  const Pipeline::Ticket ticket_;
};

Link::Link(boost::asio::io_context& loop, std::shared_ptr<LinkOptions> options, const Clock& clock)
    : loop_{loop}, options_{std::move(options)}, clock_{clock}, breaker_{options_->breaker} {
  counters_.links.set(1);
}

std::shared_ptr<Connection> Link::make_connection() {
  Connection::Options options{.limits = options_->limits,
                              .greeting = greeting_for(options_->endpoint, options_->client_name),
                              .connect_timeout = options_->connect_timeout,
                              .on_answer = [this](const Reply&) { breaker_.answered(); }};
  return std::make_shared<Connection>(loop_, options_->tls, std::move(options), tasks_);
}

void Link::start() {
  tasks_.spawn(loop_.get_executor(), run());
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
    co_await stop_.wait(Deadline::after(clock_, pause), clock_);
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
    return breaker_.connect_failed(random_u64());
  if (why == Breakage::closed && connection.was_idle() && clock_.now() - since > kGoodLife)
    return {};
  return breaker_.connection_lost(random_u64());
}

void Link::stop() {
  stopped_ = true;
  stop_.wake();
  if (current_) current_->break_off(Breakage::stopped, "the client was stopped");
}

// Calls wait for a connection that is being made, but only as long as one call may take.
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
  Connection::Pending call;
  const Outcome<Pipeline::Ticket> ticket = connection->add(command, call);
  if (!ticket) co_return std::unexpected{ticket.error()};
  Place place{connection, *ticket};
  if (!call.outcome) {
    const auto end = co_await call.ended.wait({.at = now + left}, clock_);
    if (!call.outcome) {
      const bool cancelled = end == Handoff::End::cancelled;
      place.give_up(cancelled ? Breakage::cancelled : Breakage::timeout);
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
  tasks_.spawn(loop_.get_executor(), send_one(std::move(command)));
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
  counters_.connected.set(current_ && current_->ready() ? 1 : 0);
  counters_.open.set(breaker_.state() != Breaker::State::closed ? 1 : 0);
  counters_.probing.set(breaker_.state() == Breaker::State::probing ? 1 : 0);
  counters_.breaker_openings.set(breaker_.openings());
}

void Link::tell_outages() {
  const bool outage = breaker_.state() != Breaker::State::closed;
  if (outage == told_outage_ || stopped_) return;
  told_outage_ = outage;
  if (!outage) return options_->outages.end();
  const std::lock_guard lock{mutex_};
  options_->outages.begin(last_breakage_);
}

void Link::add_to(Stats& stats) const {
  add_counters<LinkNumbers>(counters_, stats);
  const std::lock_guard lock{mutex_};
  if (!last_breakage_.empty()) stats.last_breakage = last_breakage_;
}

}  // namespace um::redis
