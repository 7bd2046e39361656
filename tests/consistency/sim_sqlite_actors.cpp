#include "consistency/sim_actors.hpp"

namespace um::sim {
namespace {

constexpr Time kPollInterval = 50'000;

// Polls and commits take turns on one thread.
Script<> take_the_thread(Instance& me) {
  while (me.writer_thread_busy) co_await me.pause();
  me.writer_thread_busy = true;
}

}  // namespace

Script<> write_to_sqlite(Instance& me) {
  World& world = me.world;
  for (;;) {
    co_await world.sleep(&me.host, world.up_to(2 * world.between_writes));
    const std::vector<std::string> keys =
        world.one_in(3) ? world.keys : std::vector{world.any_key()};
    const Time began = world.now();
    co_await take_the_thread(me);
    if (!world.mutated(Mutation::commit_without_a_hold)) me.listener.hold(keys);
    co_await me.pause();
    std::vector<std::size_t> committed;  // in the history
    std::optional<Xid> xid;
    const bool rolled_back = world.one_in(6);
    if (!rolled_back) {
      for (const auto& key : keys)
        committed.push_back(world.history.add({.kind = Operation::Kind::write,
                                               .key = key,
                                               .begin = boot_time(began),
                                               .end = test::kNever,
                                               .version = world.sqlite.write(key),
                                               .visible = boot_time(world.now())}));
      xid = world.sqlite.commit();
    }
    co_await me.pause();
    me.listener.settle(keys, xid);
    me.writer_thread_busy = false;
    co_await me.pause();
    for (const std::size_t write : committed)
      world.history.acknowledge(write, boot_time(world.now()));
    world.evidence.writes += committed.size();
  }
}

Script<> poll_sqlite(Instance& me) {
  World& world = me.world;
  std::uint64_t data_version = 0;
  for (;;) {
    co_await take_the_thread(me);
    Poll poll{.sent_at = me.clock(), .stamp = {}};
    co_await me.pause();
    if (world.sqlite.data_version() != data_version) {
      data_version = world.sqlite.data_version();
      poll.flush_reason = "foreign_commit";
      if (!world.mutated(Mutation::foreign_commit_keeps_the_namespace)) world.sqlite.renew_tau();
    }
    poll.stamp = world.sqlite.stamp();
    co_await me.pause();
    const Leftovers leftovers = me.listener.apply(poll);
    me.writer_thread_busy = false;
    co_await world.sleep(&me.host, kPollInterval);
  }
}

Script<> write_to_sqlite_from_outside(World& world) {
  for (;;) {
    co_await world.sleep(nullptr, world.up_to(2 * world.between_writes));
    const BootTime began = boot_time(world.now());
    co_await world.sleep(nullptr, world.delay());
    const std::string key = world.any_key();
    world.history.add({.kind = Operation::Kind::write,
                       .key = key,
                       .begin = began,
                       .end = test::kNever,
                       .version = world.sqlite.foreign_write(key),
                       .instance = kNoInstance,
                       .promise = Promise::bounded,
                       .visible = boot_time(world.now())});
  }
}

}  // namespace um::sim
