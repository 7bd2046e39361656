// The part of Group that is about calls: from submit() to the one finish() of each.
#include <algorithm>
#include <utility>

#include "drivers/pg/group.hpp"
#include "drivers/pg/group_counters.hpp"

namespace um::pg {

void Group::submit(const std::shared_ptr<Call>& call) {
  const BootTime now = BootClock::now();
  if (stopped_) {
    return finish(*call, failed({.kind = Failure::lost, .message = "the client was stopped"}));
  }
  const auto valid = [](const Command& command) { return command.params.valid(); };
  if (!std::ranges::all_of(call->commands, valid)) {
    return finish(*call, failed({.sqlstate = "22021", .message = "a text holds a NUL"}));
  }
  if (call->deadline.passed(now)) return give_up(*call, "the deadline had passed");
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

void Group::enqueue(const std::shared_ptr<Call>& call, BootTime now) {
  Connection* connection = queue_.empty() ? idlest() : nullptr;
  const bool idle = connection != nullptr && connection->in_flight() == 0;
  if (connection != nullptr) {
    assign(*connection, call);
  } else if (!any_open() && !any_opening() && backoff_.failing() && now < backoff_.not_before()) {
    finish(*call, failed(why_unreachable_));
  } else if (queue_.size() >= settings_.queue_limit) {
    counters_->overloaded.fetch_add(1, std::memory_order_relaxed);
    finish(*call, failed({.kind = Failure::overloaded,
                          .message = "too many calls wait for a connection"}));
  } else {
    call->queued_at = queue_.insert(queue_.end(), call);
    call->place = Call::Place::queued;
  }
  if (!idle) grow(now);
}

void Group::send_to_lease(const std::shared_ptr<Call>& call) {
  Connection& connection = call->lease->connection();
  if (connection.epoch() != call->lease->epoch() || connection.state() != Connection::State::open) {
    return finish(*call, failed({.kind = Failure::lost,
                                 .message = "the connection of the transaction was lost"}));
  }
  call->place = Call::Place::sent;
  if (!connection.send(call) && call->place != Call::Place::finished) {
    finish(*call, failed({.kind = Failure::lost, .message = "the connection was lost"}));
  }
}

void Group::assign(Connection& connection, std::shared_ptr<Call> call) {
  if (call->place == Call::Place::queued) queue_.erase(call->queued_at);
  call->place = Call::Place::sent;
  if (call->wants == Call::Wants::connection) {
    connection.marks.taken = true;
    call->lease = std::make_shared<Lease>(weak_from_this(), connection, connection.epoch());
  }
  if (!connection.send(call) && call->place != Call::Place::finished) put_back(call);
}

// Its connection turned out to be lost before anything was sent: another one may do, once.
void Group::put_back(const std::shared_ptr<Call>& call) {
  call->lease.reset();
  if (++call->tried > 1) {
    return finish(*call, failed({.kind = Failure::lost, .message = "the connection was lost"}));
  }
  call->queued_at = queue_.insert(queue_.begin(), call);
  call->place = Call::Place::queued;
  grow(BootClock::now());
}

void Group::cancel(const std::shared_ptr<Call>& call) {
  if (call->place == Call::Place::finished) return;
  give_up(*call, "the call was cancelled");
  watch();
}

// Nobody waits any longer. What was sent goes on; its answer will be discarded.
void Group::give_up(Call& call, std::string why) {
  const bool may_commit = call.place == Call::Place::sent && call.effect == Call::Effect::commits;
  counters_->timeouts.fetch_add(1, std::memory_order_relaxed);
  finish(call, failed({.kind = may_commit ? Failure::unknown_outcome : Failure::timeout,
                       .message = std::move(why)}));
}

void Group::lose(Unit& unit, const Failure& why) {
  auto* call = dynamic_cast<Call*>(&unit);
  if (call == nullptr || call->place == Call::Place::finished) return;
  // An error that came before the loss is the whole truth: nothing was committed.
  if (call->failure) return finish(*call, failed(*std::move(call->failure)));
  Failure failure = why;
  if (call->effect == Call::Effect::commits) failure.kind = Failure::unknown_outcome;
  finish(*call, failed(std::move(failure)));
}

void Group::fail_queue(const Failure& why) {
  while (!queue_.empty()) {
    const auto call = queue_.front();
    finish(*call, failed(why));
  }
}

void Group::finish(Call& call, Outcome<std::vector<Rows>> outcome) {
  // The queue or the list of deadlines may hold the last pointer to it.
  const auto keep = call.shared_from_this();
  if (call.place == Call::Place::queued) queue_.erase(call.queued_at);
  if (std::exchange(call.expires, false)) deadlines_.erase(call.expires_at);
  call.place = Call::Place::finished;
  call.outcome = std::move(outcome);
  call.complete();
}

}  // namespace um::pg
