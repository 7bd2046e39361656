#include "drivers/pg/pool.hpp"

#include <algorithm>
#include <utility>

#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>

#include "base/random.hpp"

namespace um::pg {

namespace asio = boost::asio;

namespace {

// How often connections are checked for silence while something is under way on them.
constexpr std::chrono::milliseconds kTick{20};

// How long it is believed that a session note which calls require is outdated.
constexpr std::chrono::seconds kRequirementKnown{1};

constexpr Query kRollback{.name = "rollback", .sql = "rollback"};

Failure gone_because(std::string message) {
  return {.kind = Failure::lost, .message = std::move(message)};
}

Failure no_place() {
  return gone_because("every connection waits for an overdue answer of the server");
}

}  // namespace

Call::Call(CallSpec spec)
    : Unit{std::move(spec.commands)},
      deadline{spec.deadline},
      effect{spec.effect},
      stale{spec.stale},
      wants{spec.wants},
      required_note{std::move(spec.required_note)},
      outcome{failed(gone_because("the call was never made"))},
      lease{std::move(spec.lease)} {}

Task<void> perform(std::shared_ptr<Pool> pool, std::shared_ptr<Call> call) {
  std::function<void()> cancel = [where = std::weak_ptr{pool}, what = std::weak_ptr{call}] {
    const auto owner = where.lock();
    if (!owner) return;
    asio::post(owner->executor(), [owner, what] {
      if (const auto cancelled = what.lock()) owner->cancel(cancelled);
    });
  };
  asio::dispatch(pool->executor(), [pool, call] { pool->submit(call); });
  co_await call->ended.wait_for_answer(std::move(cancel));
}

Pool::Pool(Handle::Executor executor, Settings settings)
    : executor_{executor},
      settings_{std::move(settings)},
      backoff_{settings_.backoff},
      timer_{executor} {
  for (std::size_t i = 0; i < settings_.connections; ++i) {
    connections_.push_back(std::make_unique<Connection>(executor, settings_.connection, *this));
  }
}

Lease::~Lease() {
  const auto pool = pool_.lock();
  if (!pool) return;
  asio::post(pool->executor(), [pool, &connection = connection_, epoch = epoch_] {
    pool->release(connection, epoch);
  });
}

void Pool::submit(const std::shared_ptr<Call>& call) {
  const BootTime now = BootClock::now();
  if (stopped_) {
    return finish(*call, failed(gone_because("the client was stopped")));
  }
  const auto valid = [](const Command& command) { return command.params.valid(); };
  if (!std::ranges::all_of(call->commands, valid)) {
    return finish(*call, failed({.sqlstate = "22021", .message = "a text holds a NUL"}));
  }
  if (call->deadline.passed(now)) return give_up(*call, "the deadline had passed");
  call->newest_epoch = newest_epoch_;
  if (call->deadline.at != BootTime::max()) {
    call->expires_at = deadlines_.emplace(call->deadline.at, call);
    call->expires = true;
  }
  if (call->lease) {
    send_to_lease(call);
  } else {
    enqueue(call, now);
  }
  watch();
}

void Pool::enqueue(const std::shared_ptr<Call>& call, BootTime now) {
  Connection* connection = queue_.empty() ? idlest_for(*call) : nullptr;
  if (call->place == Call::Place::finished) return;
  const bool idle = connection != nullptr && connection->in_flight() == 0;
  if (connection != nullptr) {
    assign(*connection, call);
  } else if (all_stalled()) {
    finish(*call, failed(no_place()));
  } else if (!any(State::open) && !any(State::opening) && backoff_.failing() &&
             now < backoff_.not_before()) {
    finish(*call, failed(why_unreachable_));
  } else if (queue_.size() >= settings_.queue_limit) {
    counters_.overloaded.add();
    finish(*call, failed({.kind = Failure::overloaded,
                          .message = "too many calls wait for a connection"}));
  } else {
    call->queued_at = queue_.insert(queue_.end(), call);
    call->place = Call::Place::queued;
  }
  if (!idle) grow(now);
}

void Pool::send_to_lease(const std::shared_ptr<Call>& call) {
  Connection& connection = call->lease->connection();
  if (connection.epoch() != call->lease->epoch() || connection.state() != State::open) {
    return finish(*call, failed({.kind = Failure::lost,
                                 .message = "the connection of the transaction was lost"}));
  }
  call->place = Call::Place::sent;
  if (!connection.send(call) && call->place != Call::Place::finished) {
    finish(*call, failed({.kind = Failure::lost, .message = "the connection was lost"}));
  }
}

void Pool::assign(Connection& connection, std::shared_ptr<Call> call) {
  if (call->place == Call::Place::queued) queue_.erase(call->queued_at);
  call->place = Call::Place::sent;
  call->server_process = connection.server_process();
  if (call->wants == CallSpec::Wants::connection) {
    connection.marks.taken = true;
    call->lease = std::make_shared<Lease>(weak_from_this(), connection, connection.epoch());
  }
  if (!connection.send(call) && call->place != Call::Place::finished) put_back(call);
}

// Its connection was found lost before anything was sent: it may go to another one, once.
void Pool::put_back(const std::shared_ptr<Call>& call) {
  call->lease.reset();
  call->server_process = 0;
  if (++call->tried > 1) {
    return finish(*call, failed({.kind = Failure::lost, .message = "the connection was lost"}));
  }
  call->queued_at = queue_.insert(queue_.begin(), call);
  call->place = Call::Place::queued;
  grow(BootClock::now());
}

void Pool::cancel(const std::shared_ptr<Call>& call) {
  if (call->place == Call::Place::finished) return;
  give_up(*call, "the call was cancelled");
  watch();
}

// Its coroutine stops waiting. Commands that were sent go on; their answer is discarded.
void Pool::give_up(Call& call, std::string why) {
  const bool may_commit =
      call.place == Call::Place::sent && call.effect == CallSpec::Effect::commits;
  counters_.timeouts.add();
  finish(call, failed({.kind = may_commit ? Failure::unknown_outcome : Failure::timeout,
                       .message = std::move(why)}));
}

void Pool::lose(Unit& unit, const Failure& why) {
  auto* call = dynamic_cast<Call*>(&unit);
  if (call == nullptr || call->place == Call::Place::finished) return;
  // The server reported an error before the loss, so nothing was committed.
  if (call->failure) return finish(*call, failed(*std::move(call->failure)));
  Failure failure = why;
  if (call->effect == CallSpec::Effect::commits) failure.kind = Failure::unknown_outcome;
  finish(*call, failed(std::move(failure)));
}

void Pool::fail_queue(const Failure& why) {
  while (!queue_.empty()) {
    const auto call = queue_.front();
    finish(*call, failed(why));
  }
}

void Pool::finish(Call& call, Outcome<std::vector<Rows>> outcome) {
  // The queue or the list of deadlines may hold the last pointer to it.
  const auto keep = call.shared_from_this();
  if (call.place == Call::Place::queued) queue_.erase(call.queued_at);
  if (std::exchange(call.expires, false)) deadlines_.erase(call.expires_at);
  call.place = Call::Place::finished;
  if (!outcome && !call.answers.empty()) call.first = std::move(call.answers.front());
  call.outcome = std::move(outcome);
  call.ended.wake();
}

bool Pool::usable(const Connection& connection) const {
  return connection.state() == State::open && !connection.marks.taken &&
         !connection.marks.retired && !connection.marks.outdated &&
         connection.in_flight() < settings_.in_flight;
}

Connection* Pool::idlest() {
  Connection* best = nullptr;
  for (const auto& connection : connections_) {
    if (!usable(*connection)) continue;
    if (best == nullptr || connection->in_flight() < best->in_flight()) best = connection.get();
  }
  return best;
}

Connection* Pool::idlest_for(Call& call) {
  for (;;) {
    Connection* connection = idlest();
    if (connection == nullptr || suits(*connection, call)) return connection;
    if (call.place == Call::Place::finished) return nullptr;
  }
}

// Two notes differ. That of the call is outdated if the connection was opened after the call was
// made, and the same is believed of later calls that require it, for a while: else each of them
// would replace a connection. Otherwise the note of the connection is outdated.
bool Pool::suits(Connection& connection, Call& call) {
  const auto equal = [](const Rows::Note& one, const Rows::Note& other) {
    return one != nullptr && other != nullptr && *one == *other;
  };
  const Rows::Note& required = call.required_note;
  if (required == nullptr || equal(required, connection.note())) return true;
  const BootTime now = BootClock::now();
  const bool known = now < known_until_ && equal(required, outdated_requirement_);
  if (!known && connection.epoch() <= call.newest_epoch) {
    connection.marks.outdated = true;
    settle(connection);
    return false;
  }
  if (!known) {
    outdated_requirement_ = required;
    known_until_ = now + kRequirementKnown;
  }
  finish(call, failed({.kind = Failure::elsewhere,
                       .message = "a newer connection has another session note than required"}));
  return false;
}

std::size_t Pool::in_state(State state) const {
  const auto state_of = [](const auto& connection) { return connection->state(); };
  return static_cast<std::size_t>(std::ranges::count(connections_, state, state_of));
}

bool Pool::all_stalled() const {
  return in_state(State::stalled) == connections_.size();
}

// Sending can find a connection lost, which calls pump() again: one loop serves all calls of it.
void Pool::pump() {
  pump_again_ = true;
  if (pumping_) return;
  pumping_ = true;
  while (std::exchange(pump_again_, false)) {
    while (!queue_.empty()) {
      const auto call = queue_.front();
      Connection* connection = idlest_for(*call);
      if (connection != nullptr) {
        assign(*connection, call);
      } else if (call->place != Call::Place::finished) {
        break;
      }
    }
  }
  pumping_ = false;
  if (!queue_.empty()) grow(BootClock::now());
  watch();
}

void Pool::grow(BootTime now) {
  wants_more_ = false;
  if (stopped_ || any(State::opening)) return;  // opened() and not_opened() look again
  const auto closed = std::ranges::find_if(
      connections_, [](const auto& connection) { return connection->state() == State::closed; });
  wants_more_ = closed != connections_.end();
  if (!wants_more_ || now < backoff_.not_before()) return;
  wants_more_ = false;
  (*closed)->open(shared_from_this(), ++newest_epoch_);
}

void Pool::opened(Connection& connection) {
  backoff_.succeeded();
  counters_.opened.add();
  settings_.reachable();
  settle(connection);
  pump();
}

void Pool::not_opened(Connection&, const Failure& why) {
  counters_.connect_failures.add();
  backoff_.failed(BootClock::now(), random_u64());
  why_unreachable_ = why;
  if (!any(State::open)) {  // otherwise there are only fewer connections than wanted
    settings_.unreachable(why.message);
    fail_queue(why);
  }
  pump();
}

void Pool::answered(Connection& connection, std::shared_ptr<Unit> unit) {
  const bool read_only = unit->failure && unit->failure->sqlstate == "25006";
  const auto call = std::dynamic_pointer_cast<Call>(unit);
  if (call && call->place != Call::Place::finished) {
    if (call->failure && call->stale == CallSpec::Stale::send_again && !call->sent_again &&
        pg::stale(*call->failure)) {
      call->sent_again = true;
      counters_.repeated.add();
      assign(connection, call);
    } else if (call->failure) {
      finish(*call, failed(*std::move(call->failure)));
    } else {
      finish(*call, std::move(call->answers));
    }
  }
  // Before a failover the old primary may be made read-only; the next connection finds the new one.
  if (read_only && settings_.connection->opener.info->wants_writes()) {
    connection.marks.retired = true;
  }
  settle(connection);
  pump();
}

void Pool::lost(Connection&, std::vector<std::shared_ptr<Unit>> in_flight, const Failure& why) {
  counters_.lost.add();
  backoff_.lost(BootClock::now(), random_u64());
  for (const auto& unit : in_flight) lose(*unit, why);
  pump();
}

void Pool::stalled(Connection&, std::vector<std::shared_ptr<Unit>> in_flight, const Failure& why) {
  counters_.lost.add();
  counters_.stalled.add();
  count();  // before its callers are woken
  backoff_.lost(BootClock::now(), random_u64());
  for (const auto& unit : in_flight) lose(*unit, why);
  if (all_stalled()) {
    settings_.unreachable(no_place().message);
    fail_queue(no_place());
  }
  pump();
}

// Not a loss: it was counted when the connection stalled. The place is free.
void Pool::ended(Connection&) {
  pump();
}

void Pool::release(Connection& connection, std::uint64_t epoch) {
  if (stopped_ || connection.epoch() != epoch) return;
  connection.marks.released = true;
  settle(connection);
  pump();
}

// Decides about a connection on which nothing is in flight any more.
void Pool::settle(Connection& connection) {
  if (connection.state() != State::open || connection.in_flight() > 0) return;
  auto& marks = connection.marks;
  if (marks.released) {
    if (!connection.in_transaction()) {
      marks.taken = marks.released = marks.rolling_back = false;
    } else if (marks.rolling_back) {
      connection.close(gone_because("a transaction could not be rolled back"));
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
    connection.stop();  // not a loss: nothing is in flight, and no back-off is needed
  } else if (marks.retired) {
    connection.close(gone_because("the server does not accept writes any more"));
  }
}

void Pool::renew() {
  if (stopped_) return;
  outdated_requirement_.reset();
  for (const auto& connection : connections_) {
    connection->marks.outdated = connection->state() != State::closed;
    settle(*connection);
  }
  pump();
}

void Pool::watch() {
  BootTime at = deadlines_.empty() ? BootTime::max() : deadlines_.begin()->first;
  const bool under_way = std::ranges::any_of(connections_, [](const auto& connection) {
    return connection->state() == State::opening ||
           (connection->state() == State::open && connection->in_flight() > 0);
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

void Pool::tick() {
  const BootTime now = BootClock::now();
  while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
    const auto call = deadlines_.begin()->second;
    give_up(*call, "no answer by the deadline");
  }
  for (const auto& connection : connections_) connection->expire(now);
  if (wants_more_) grow(now);
  pump();
}

void Pool::stop() {
  if (std::exchange(stopped_, true)) return;
  const Failure why = gone_because("the client was stopped");
  for (const auto& connection : connections_) {
    for (const auto& unit : connection->stop()) lose(*unit, why);
  }
  fail_queue(why);
  timer_.cancel();
  count();
}

void Pool::count() {
  std::size_t open = 0;
  std::size_t busy = 0;
  std::size_t in_flight = 0;
  for (const auto& connection : connections_) {
    if (connection->state() != State::open) continue;
    ++open;
    in_flight += connection->in_flight();
    if (connection->in_flight() > 0 || connection->marks.taken) ++busy;
  }
  counters_.open.set(open);
  counters_.busy.set(busy);
  counters_.in_flight.set(in_flight);
  counters_.waiting.set(queue_.size());
  counters_.stalled_now.set(in_state(State::stalled));
}

}  // namespace um::pg
