// The feed of an instance: runs the steps that FeedSteps decides, on simulated connections, as
// PostgresChangeFeed does on real ones.
#include "consistency/sim_instance.hpp"

namespace um::sim {
namespace {

constexpr Time kReconnect = 50'000;

}  // namespace

Script<> Instance::feed() {
  bool connected = false;
  for (;;) {
    if (!is_open(feed_connection)) {
      if (std::exchange(connected, false)) {
        session_ends(steps.id());
        steps.disconnected();
      }
      co_await world.sleep(&host, world.up_to(kReconnect));
      const bool opened = co_await open(feed_connection);
      if (!opened) continue;
      steps.connected();
      connected = true;
    }
    const FeedSteps::Step step = steps.next(clock());
    const bool done = co_await perform(step);
    if (!done) feed_connection.close();
    if (wake.take()) steps.woken();
  }
}

// False: the connection is useless.
Script<bool> Instance::perform(const FeedSteps::Step& step) {
  bool done = true;
  if (step.act == FeedSteps::Act::join) {
    done = co_await join(step);
  } else if (step.act == FeedSteps::Act::poll) {
    done = co_await poll(step.question);
  } else if (step.act == FeedSteps::Act::acknowledge) {
    done = co_await acknowledge(step.id, step.seen);
  } else if (step.act == FeedSteps::Act::refresh) {
    done = co_await refresh(step.id);
  } else if (step.act == FeedSteps::Act::repair) {
    auto repair = [&db = world.postgres] {
      db.repair();
      return true;
    };
    const auto repaired = co_await run(feed_connection, repair);
    if (repaired) steps.repaired();
    done = repaired.has_value();
  } else if (step.act == FeedSteps::Act::wait) {
    co_await wait_for(wake, global(step.until));
    if (wake.take())
      steps.woken();
    else
      steps.waited(step.until, clock());
  }
  co_return done;
}

Script<bool> Instance::join(const FeedSteps::Step& step) {
  if (world.mutated(Mutation::lease_before_registration)) {
    listener.keeps_lease = true;
    const bool polled = co_await poll(steps.polls().next());
    if (!polled) co_return false;
  }
  delivery.end_lease();
  const BootTime sent_at = clock();
  steps.joining(step.id);
  auto statement = [&db = world.postgres, id = step.id, former = step.former_ids] {
    return db.join(id, former);
  };
  const auto joined = co_await run(feed_connection, statement);
  if (!joined) co_return false;
  if (!*joined) {
    steps.refused(FeedSteps::Act::join, clock());
    co_return true;
  }
  ++world.evidence.joins;
  world.tell("instance", number, "has joined as", step.id);
  steps.joined(step.id, (*joined)->name_space, (*joined)->others, sent_at);
  co_return true;
}

Script<bool> Instance::poll(PostgresPolls::Question question) {
  const BootTime sent_at = clock();
  auto statement = [&db = world.postgres, question] { return db.poll(question); };
  std::optional<SimPostgres::Polled> polled = co_await run(feed_connection, statement);
  if (!polled) co_return false;
  polled->answer.sent_at = sent_at;
  if (polled->answer.name_space.empty()) {
    steps.found_no_namespace(sent_at, clock());
    co_return true;
  }
  mutate(polled->answer);
  if (world.mutated(Mutation::acknowledged_at_receipt) && !polled->answer.holds.empty()) {
    const bool acknowledged = co_await acknowledge(steps.id(), polled->answer.now);
    if (!acknowledged) co_return false;
  }
  co_await apply(std::move(*polled));
  co_return true;
}

// The well-known recipe that is wrong here: changes from the oldest running transaction on wait.
void Instance::mutate(PostgresPolls::Answer& answer) const {
  if (!world.mutated(Mutation::poll_below_xmin)) return;
  if (!answer.now.xip.empty()) answer.now = {.xmax = answer.now.xip.front(), .xip = {}};
  std::erase_if(answer.changes, [&](const Change& change) { return !answer.now.sees(change.xid); });
}

// Other scripts run between the steps, but not where the feed's lock keeps them out.
Script<> Instance::apply(SimPostgres::Polled polled) {
  const BootTime sent_at = polled.answer.sent_at;
  const bool holds_more = world.mutated(Mutation::lease_before_registration);
  listener.is_in_begin = true;
  auto delivery_of_poll = delivery.begin(std::move(polled.answer), polled.settings, clock());
  listener.is_in_begin = false;
  if (!delivery_of_poll) co_return;
  if (!delivery_of_poll->flushes) co_await pause();
  const Poll& applied = delivery_of_poll->applied.poll;
  world.tell("instance", number, "applies a poll of",
             host.global(in_microseconds(sent_at.time_since_epoch())),
             applied.flush_reason.value_or(""), "with", applied.changes.size(), "changes,",
             applied.holds.size(), "holds, xmax", applied.stamp.snapshot.xmax);
  const Leftovers leftovers = delivery.apply(*delivery_of_poll);
  co_await pause();
  delivery.finish(*delivery_of_poll);
  if (holds_more) listener.acknowledge_refresh(sent_at);
  if (!delivery_of_poll->applied.new_namespace) co_return;
  look_ups.close();  // the notes of other connections are obsolete
  writes.close();
}

Script<bool> Instance::acknowledge(std::string id, Snapshot seen_by_poll) {
  auto statement = [&db = world.postgres, id, seen_by_poll] {
    return db.acknowledge(id, seen_by_poll);
  };
  const auto rows = co_await run(feed_connection, statement);
  if (!rows) co_return false;
  if (delivery.acknowledged(*rows, seen_by_poll)) world.notify_others(number, &Instance::seen);
  co_return true;
}

Script<bool> Instance::refresh(std::string id) {
  const BootTime sent_at = clock();
  if (world.now() < refreshes_refused_until) {
    co_await pause();
    steps.refused(FeedSteps::Act::refresh, clock());
    co_return true;
  }
  auto statement = [&db = world.postgres, id] { return db.refresh(id); };
  const auto refreshed = co_await run(feed_connection, statement);
  if (!refreshed) co_return false;
  delivery.refreshed(refreshed->rows, refreshed->others, sent_at);
  co_return true;
}

}  // namespace um::sim
