#include "consistency/sim_pollers.hpp"

#include <algorithm>

namespace um::sim {
namespace {

constexpr Time kPollInterval = 100;

Poll empty_poll(Time sent_at) {
  return {.sent_at = boot_time(sent_at), .stamp = {}};
}

}  // namespace

void PostgresPoller::step(World& world) {
  ready_at = world.now + world.delay() / 2 + 1;
  switch (state_) {
    case State::send:
      poll_ = empty_poll(world.now);
      state_ = State::execute;
      return;
    case State::execute:
      return execute(world);
    case State::apply:
      return apply(world);
  }
}

void PostgresPoller::execute(World& world) {
  state_ = State::apply;
  poll_.stamp = world.database.stamp();
  poll_.holds = world.database.holds();
  if (last_) poll_.changes = world.database.changes_since(*last_);
  // The well-known recipe that is wrong here: changes from the oldest running transaction on wait.
  if (world.mutated(Mutation::poll_below_xmin) && !poll_.stamp.snapshot.xip.empty())
    poll_.stamp.snapshot = {.xmax = poll_.stamp.snapshot.xip.front(), .xip = {}};
  if (world.mutated(Mutation::poll_below_xmin))
    std::erase_if(poll_.changes,
                  [&](const Change& change) { return !poll_.stamp.snapshot.sees(change.xid); });
  if (world.one_in(world.one_poll_in_fails)) {
    poll_.changes.clear();
    poll_.flush_reason = "connection_lost";
  }
  if (world.scenario.purges) compare_with_the_horizon(world);
}

// Does the same as PostgresPolls, with question and answer at one instant.
void PostgresPoller::compare_with_the_horizon(World& world) {
  const auto& database = world.database;
  const auto horizon =
      world.mutated(Mutation::purged_by_number) ? database.oldest_mark() : database.horizon();
  if (!poll_.flush_reason && last_ && horizon && !covers(*last_, *horizon)) {
    poll_.changes.clear();
    poll_.flush_reason = "purged";
    ++world.evidence.purged_unseen;
    return;
  }
  // A start uses the oldest mark as its base, if only changes before the mark were purged.
  const auto base = database.oldest_mark();
  if (!poll_.flush_reason || !base) return;
  const bool reaches = !horizon || covers(*base, *horizon);
  if (!reaches && !world.mutated(Mutation::base_behind_the_horizon)) return;
  poll_.changes = database.changes_since(*base);
  poll_.base = base;
  ++world.evidence.bases;
}

void PostgresPoller::apply(World& world) {
  const Snapshot polled = poll_.stamp.snapshot;
  if (world.mutated(Mutation::base_set_after_the_emptying) && poll_.flush_reason && last_)
    poll_.stamp.snapshot = *last_;  // the shards are emptied, and B stays what it was
  instance_.coherence.apply(poll_);
  last_ = polled;
  ready_at += kPollInterval;
  state_ = State::send;
}

void SqlitePoller::step(World& world) {
  ready_at = world.now + world.delay() / 2 + 1;
  switch (state_) {
    case State::send:
      if (instance_.writer_thread_busy) return;
      instance_.writer_thread_busy = true;
      poll_ = empty_poll(world.now);
      state_ = State::execute;
      return;
    case State::execute:
      if (world.database.data_version() != data_version_) {
        data_version_ = world.database.data_version();
        poll_.flush_reason = "foreign_commit";
        if (!world.mutated(Mutation::foreign_commit_keeps_the_namespace))
          world.database.renew_tau();
      }
      poll_.stamp = world.database.stamp();
      state_ = State::apply;
      return;
    case State::apply:
      instance_.coherence.apply(poll_);
      instance_.writer_thread_busy = false;
      ready_at += kPollInterval;
      state_ = State::send;
  }
}

void Purger::step(World& world) {
  ready_at = world.now + world.delay();
  switch (state_) {
    case State::mark:
      mark_ = world.database.take_mark();
      life_ = world.database.life();
      state_ = State::commit;
      return;
    case State::commit:
      if (world.database.life() == life_) world.database.commit_mark(mark_);
      state_ = State::purge;
      return;
    case State::purge:
      world.database.purge(1 + world.random() % 2);
      ready_at += static_cast<Time>(world.random() % (kT / 4));
      state_ = State::mark;
  }
}

// Transactions on other tables use ids as well, and are not always on disk at a crash: those ids
// are assigned twice.
void Crasher::step(World& world) {
  const auto use_up_ids = [&] {
    for (std::uint64_t n = 1 + world.random() % 4; n > 0; --n)
      world.database.abort(world.database.begin());
  };
  ready_at = world.now + 1 + static_cast<Time>(world.random() % (kT / 4));
  switch (state_) {
    case State::before:
      use_up_ids();
      state_ = State::crash;
      return;
    case State::crash:
      world.database.crash(world.mutated(Mutation::incarnation_kept_over_a_crash)
                               ? SimDatabase::Incarnation::kept
                               : SimDatabase::Incarnation::renewed);
      state_ = State::after;
      return;
    case State::after:
      use_up_ids();
      ready_at += kT + static_cast<Time>(world.random() % (6 * kT));
      state_ = State::before;
  }
}

}  // namespace um::sim
