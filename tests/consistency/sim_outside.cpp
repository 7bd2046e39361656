// Other users of the PostgreSQL server.
#include "consistency/sim_actors.hpp"

namespace um::sim {

Script<> write_from_outside(World& world) {
  SimPostgres& db = world.postgres;
  for (;;) {
    co_await world.sleep(nullptr, world.up_to(3 * world.between_writes));
    if (!db.is_up(world.now())) continue;
    Operation write{.kind = Operation::Kind::write,
                    .key = world.any_key(),
                    .begin = boot_time(world.now()),
                    .end = test::kNever,
                    .instance = kNoInstance,
                    .promise = Promise::bounded};
    const int life = db.life();
    const Xid xid = db.begin();
    co_await world.sleep(nullptr, world.delay());
    while (db.life() == life && !db.lock(xid, write.key))
      co_await world.sleep(nullptr, world.delay());
    if (db.life() != life) continue;
    write.version = db.write(xid, write.key);
    db.at_commit(xid, [&world, write]() mutable {
      write.visible = boot_time(world.now());
      world.tell("another program commits", write.key, write.version);
      world.history.add(write);
    });
    co_await world.sleep(nullptr, world.delay());
    if (db.life() != life) continue;
    if (world.one_in(6)) {
      db.abort(xid);
      continue;
    }
    db.flush(xid);
    co_await world.sleep(nullptr, world.delay() / 4 + 1);
    if (db.life() == life) db.commit(xid);
  }
}

Script<> work_in_another_database(World& world) {
  SimPostgres& db = world.postgres;
  for (;;) {
    co_await world.sleep(nullptr, world.up_to(kStaleness));
    const int life = db.life();
    const Xid xid = db.begin();
    co_await world.sleep(nullptr, world.one_in(2) ? world.delay() : world.up_to(4 * kStaleness));
    if (db.life() == life) db.abort(xid);
  }
}

Script<> purge(World& world) {
  SimPostgres& db = world.postgres;
  for (;;) {
    co_await world.sleep(nullptr, world.delay());
    if (!db.is_up(world.now())) continue;
    const int life = db.life();
    const Xid xid = db.begin();
    db.take_mark(xid);
    co_await world.sleep(nullptr, world.delay());
    if (db.life() != life) continue;
    db.flush(xid);
    db.commit(xid);
    co_await world.sleep(nullptr, world.delay());
    if (db.is_up(world.now())) db.purge(1 + world.random() % 2);
    co_await world.sleep(nullptr, world.up_to(kStaleness / 4));
  }
}

}  // namespace um::sim
