#include "drivers/pg/group.hpp"

#include <algorithm>
#include <utility>

#include <boost/asio/post.hpp>

#include "base/random.hpp"
#include "drivers/pg/group_counters.hpp"

namespace um::pg {
namespace {

// How often connections are looked after while something is under way on them.
constexpr std::chrono::milliseconds kTick{20};

constexpr Query kRollback{.name = "rollback", .sql = "rollback"};

Failure lost_because(std::string message) {
  return {.kind = Failure::lost, .message = std::move(message)};
}

}  // namespace

Group::Group(Handle::Executor executor, Settings settings)
    : executor_{executor},
      settings_{std::move(settings)},
      backoff_{settings_.backoff},
      timer_{executor},
      counters_{std::make_unique<Counters>()} {
  for (std::size_t i = 0; i < settings_.connections; ++i) {
    connections_.push_back(std::make_unique<Connection>(executor, settings_.connection, *this));
  }
}

Group::~Group() = default;

Lease::~Lease() {
  const auto group = group_.lock();
  if (!group) return;
  boost::asio::post(group->executor(), [group, &connection = connection_, epoch = epoch_] {
    group->release(connection, epoch);
  });
}

bool Group::usable(const Connection& connection) const {
  return connection.state() == Connection::State::open && !connection.marks.taken &&
         !connection.marks.retired && !connection.marks.outdated &&
         connection.in_flight() < settings_.in_flight;
}

Connection* Group::idlest() {
  Connection* best = nullptr;
  for (const auto& connection : connections_) {
    if (!usable(*connection)) continue;
    if (best == nullptr || connection->in_flight() < best->in_flight()) best = connection.get();
  }
  return best;
}

bool Group::any_open() const {
  return std::ranges::any_of(connections_, [](const auto& connection) {
    return connection->state() == Connection::State::open;
  });
}

bool Group::any_opening() const {
  return std::ranges::any_of(connections_, [](const auto& connection) {
    return connection->state() == Connection::State::opening;
  });
}

// Sending can lose a connection, whose owner then wants to pump: one loop does it for all.
void Group::pump() {
  pump_again_ = true;
  if (pumping_) return;
  pumping_ = true;
  while (std::exchange(pump_again_, false)) {
    while (!queue_.empty()) {
      Connection* connection = idlest();
      if (connection == nullptr) break;
      assign(*connection, queue_.front());
    }
  }
  pumping_ = false;
  if (!queue_.empty()) grow(BootClock::now());
  watch();
}

void Group::grow(BootTime now) {
  wants_more_ = false;
  if (stopped_ || any_opening()) return;  // opened() and not_opened() look again
  const auto closed = std::ranges::find_if(connections_, [](const auto& connection) {
    return connection->state() == Connection::State::closed;
  });
  wants_more_ = closed != connections_.end();
  if (!wants_more_ || now < backoff_.not_before()) return;
  wants_more_ = false;
  (*closed)->open(shared_from_this());
}

void Group::opened(Connection& connection) {
  backoff_.succeeded();
  counters_->opened.fetch_add(1, std::memory_order_relaxed);
  settings_.observer->reachable();
  settle(connection);
  pump();
}

void Group::not_opened(Connection&, const Failure& why) {
  counters_->connect_failures.fetch_add(1, std::memory_order_relaxed);
  backoff_.failed(BootClock::now(), random_u64());
  why_unreachable_ = why;
  if (!any_open()) {  // otherwise there are only fewer connections than wanted
    settings_.observer->unreachable(why.message);
    fail_queue(why);
  }
  pump();
}

void Group::answered(Connection& connection, std::shared_ptr<Unit> unit) {
  const bool read_only = unit->failure && unit->failure->sqlstate == "25006";
  const auto call = std::dynamic_pointer_cast<Call>(unit);
  if (call && call->place != Call::Place::finished) {
    if (call->failure && call->stale == Call::Stale::send_again && !call->sent_again &&
        pg::stale(*call->failure)) {
      call->sent_again = true;
      counters_->repeated.fetch_add(1, std::memory_order_relaxed);
      assign(connection, call);
    } else if (call->failure) {
      finish(*call, failed(*std::move(call->failure)));
    } else {
      finish(*call, std::move(call->answers));
    }
  }
  // Before a failover the old primary may be made read-only: find the new one.
  if (read_only && settings_.connection->opener.info->wants_writes()) {
    connection.marks.retired = true;
  }
  settle(connection);
  pump();
}

void Group::lost(Connection&, std::vector<std::shared_ptr<Unit>> in_flight, const Failure& why) {
  counters_->lost.fetch_add(1, std::memory_order_relaxed);
  backoff_.lost(BootClock::now(), random_u64());
  for (const auto& unit : in_flight) lose(*unit, why);
  pump();
}

void Group::release(Connection& connection, std::uint64_t epoch) {
  if (stopped_ || connection.epoch() != epoch) return;
  connection.marks.released = true;
  settle(connection);
  pump();
}

// What is to be done with a connection on which nothing is in flight any more.
void Group::settle(Connection& connection) {
  if (connection.state() != Connection::State::open || connection.in_flight() > 0) return;
  auto& marks = connection.marks;
  if (marks.released) {
    if (!connection.in_transaction()) {
      marks.taken = marks.released = marks.rolling_back = false;
    } else if (marks.rolling_back) {
      connection.close(lost_because("a transaction could not be rolled back"));
      return;
    } else {
      marks.rolling_back = true;
      std::vector<Command> rollback;
      rollback.push_back({.query = &kRollback, .how = Command::How::once});
      connection.send(std::make_shared<Unit>(std::move(rollback)));
      return;
    }
  }
  if (marks.taken) return;
  if (marks.outdated) {
    connection.stop();  // no loss: nothing is in flight, and the next may be opened at once
  } else if (marks.retired) {
    connection.close(lost_because("the server does not accept writes any more"));
  }
}

void Group::renew() {
  if (stopped_) return;
  for (const auto& connection : connections_) {
    connection->marks.outdated = connection->state() != Connection::State::closed;
    settle(*connection);
  }
  pump();
}

void Group::watch() {
  BootTime at = deadlines_.empty() ? BootTime::max() : deadlines_.begin()->first;
  const bool under_way = std::ranges::any_of(connections_, [](const auto& connection) {
    return connection->state() == Connection::State::opening || connection->in_flight() > 0;
  });
  if (under_way) at = std::min(at, BootClock::now() + kTick);
  if (wants_more_) at = std::min(at, std::max(backoff_.not_before(), BootTime{}));
  count();
  if (stopped_ || at >= timer_at_) return;
  timer_at_ = at;
  timer_.expires_at(at);
  timer_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
    if (error) return;
    self->timer_at_ = BootTime::max();
    self->tick();
  });
}

void Group::tick() {
  const BootTime now = BootClock::now();
  while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
    const auto call = deadlines_.begin()->second;
    give_up(*call, "no answer by the deadline");
  }
  for (const auto& connection : connections_) {
    if (connection->expire(now)) counters_->stalled.fetch_add(1, std::memory_order_relaxed);
  }
  if (wants_more_) grow(now);
  pump();
}

void Group::stop() {
  if (std::exchange(stopped_, true)) return;
  const Failure why = lost_because("the client was stopped");
  for (const auto& connection : connections_) {
    for (const auto& unit : connection->stop()) lose(*unit, why);
  }
  fail_queue(why);
  timer_.cancel();
  count();
}

void Group::count() {
  std::size_t open = 0;
  std::size_t busy = 0;
  std::size_t in_flight = 0;
  for (const auto& connection : connections_) {
    if (connection->state() != Connection::State::open) continue;
    ++open;
    in_flight += connection->in_flight();
    if (connection->in_flight() > 0 || connection->marks.taken) ++busy;
  }
  counters_->open.store(open, std::memory_order_relaxed);
  counters_->busy.store(busy, std::memory_order_relaxed);
  counters_->in_flight.store(in_flight, std::memory_order_relaxed);
  counters_->waiting.store(queue_.size(), std::memory_order_relaxed);
}

Stats::Kind Group::stats() const {
  return counters_->read();
}

}  // namespace um::pg
