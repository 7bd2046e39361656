// What breaks the database and the processes.
#include "consistency/sim_actors.hpp"

namespace um::sim {
namespace {

// Other transactions use ids as well, and their ends are not always on disk at a crash: those ids
// are assigned twice.
void use_up_ids(World& world) {
  for (std::uint64_t n = 1 + world.random() % 4; n > 0; --n)
    world.postgres.abort(world.postgres.begin());
}

Time short_outage(World& world) {
  return world.one_in(4) ? world.up_to(3 * kStaleness) : world.up_to(kStaleness / 10);
}

}  // namespace

Script<> break_the_database(World& world) {
  SimPostgres& db = world.postgres;
  std::optional<SimPostgres::Copy> dump;
  db.on_set_back = [&world](const std::string& key, Version version) {
    world.history.add({.kind = Operation::Kind::write,
                       .key = key,
                       .begin = boot_time(world.now()),
                       .end = test::kNever,
                       .version = version,
                       .instance = kNoInstance,
                       .promise = Promise::bounded,
                       .visible = boot_time(world.now())});
  };
  for (;;) {
    co_await world.sleep(nullptr, world.up_to(6 * kStaleness));
    if (!db.is_up(world.now())) continue;
    const auto kind = world.random() % 14;
    if (kind < 6) {
      use_up_ids(world);
      co_await world.sleep(nullptr, world.delay());
      const bool kept = world.mutated(Mutation::incarnation_kept_over_a_crash);
      world.tell("the database crashes");
      db.crash(kept ? SimPostgres::Incarnation::kept : SimPostgres::Incarnation::lost);
      ++world.evidence.crashes;
    } else if (kind < 8) {
      world.tell("the database restarts");
      db.restart();
    } else if (kind < 10) {
      const SimPostgres::Copy standby = db.copy();
      co_await world.sleep(nullptr, world.up_to(kStaleness / 3));
      world.tell("the standby takes over");
      db.fail_over(standby);
      ++world.evidence.failovers;
    } else if (kind < 11) {
      if (dump) {
        world.tell("a dump is restored");
        db.restore(*dump);
        ++world.evidence.restores;
      }
      dump = db.copy();
    } else {
      world.tell("a new epoch");
      const Xid xid = db.begin();
      db.bump_epoch(xid);
      db.flush(xid);
      db.commit(xid);
      continue;
    }
    db.down_until(world.now() + short_outage(world));
    if (world.one_in(2)) use_up_ids(world);
  }
}

Script<> break_the_process(World& world, std::size_t number) {
  for (;;) {
    const Time longest = (world.scenario.restless ? 3 : 12) * kStaleness;
    co_await world.sleep(nullptr, world.up_to(longest));
    Instance& me = *world.instances[number];
    const auto kind = world.random() % 8;
    world.tell("instance", number,
               kind < 4   ? "stops for a while"
               : kind < 5 ? "cannot refresh its row"
               : kind < 7 ? "is killed"
                          : "leaves");
    if (kind < 4) {
      me.host.stopped_until = world.now() + world.up_to(3 * kStaleness);
    } else if (kind < 5) {
      me.refreshes_refused_until = world.now() + world.up_to(10 * kStaleness);
    } else if (kind < 7) {
      me.dies();
      world.restart(number);
      ++world.evidence.kills;
    } else {
      if (world.mutated(Mutation::row_deleted_before_the_lease_ends)) {
        me.leaves_too_early();
        co_await world.sleep(nullptr, world.up_to(kStaleness));
      } else {
        me.say_goodbye();
      }
      world.restart(number);
    }
  }
}

}  // namespace um::sim
