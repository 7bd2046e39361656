// The server's part of a write: the gate and the change, in one transaction.
#include "consistency/sim_batch.hpp"

#include "consistency/sim_instance.hpp"

namespace um::sim {
namespace {

// One backend. After each pause the server may have lost the transaction.
class Backend {
 public:
  Backend(World& world, Batch& batch, int life)
      : world_{world}, db_{world.postgres}, batch_{batch}, life_{life} {}

  Script<> run() {
    co_await pause();
    if (!alive() || batch_.never_arrives) co_return;
    batch_.has_begun = true;
    xid_ = db_.begin();
    End refusal = End::under_way;
    if (batch_.way != Way::bounded) refusal = co_await pass_gate();
    if (!alive()) co_return;
    batch_.xid = xid_;
    if (world_.one_in(10)) {  // the server is slow
      co_await world_.sleep(nullptr, world_.up_to(kStaleness / 2));
      if (!alive()) co_return;
    }
    if (refusal == End::under_way) refusal = co_await change();
    if (!alive()) co_return;
    if (refusal != End::under_way) {
      db_.abort(xid_);
      conclude(refusal);
      co_return;
    }
    db_.flush(xid_);
    co_await pause();
    if (!alive()) co_return;
    db_.commit(xid_);
    const bool canceled = world_.scenario.database_faults && world_.one_in(40);
    conclude(canceled ? End::not_replicated : End::committed);
  }

 private:
  using End = Batch::End;
  using Way = StrictWrite::Way;

  Wait pause() { return world_.sleep(nullptr, world_.delay() / 2 + 1); }
  bool alive() const { return db_.life() == life_; }
  void conclude(End end) {
    batch_.end = end;
    batch_.has_ended = true;
    batch_.news.ring();
  }

  // Each of its statements has a snapshot of its own.
  Script<End> pass_gate() {
    if (!db_.has_epoch(batch_.epoch)) co_return End::other_epoch;
    co_await pause();
    if (!alive()) co_return End::under_way;
    if (batch_.way == Way::alone) {
      if (!world_.mutated(Mutation::alone_without_the_lock)) db_.lock_registry(xid_);
      co_await pause();
      if (!alive()) co_return End::under_way;
      co_return db_.only_registered(batch_.own) ? End::under_way : End::not_yet;
    }
    std::optional<std::vector<Xid>> holds = db_.delete_hold(xid_, batch_.hold);
    while (!holds) {
      co_await pause();
      if (!alive()) co_return End::under_way;
      holds = db_.delete_hold(xid_, batch_.hold);
    }
    if (holds->size() != batch_.held_keys && !world_.mutated(Mutation::gate_without_the_fence))
      co_return End::hold_is_gone;
    if (batch_.way == Way::waited) co_return End::under_way;
    co_await pause();
    if (!alive()) co_return End::under_way;
    SimPostgres::Gate gate{
        .registered = batch_.registered ? *batch_.registered : db_.registered(),
        .own = batch_.own,
        .holds = std::move(*holds),
        .takes_any = world_.mutated(Mutation::acknowledgement_of_an_earlier_hold)};
    co_return db_.all_acknowledged(gate) ? End::under_way : End::not_yet;
  }

  Script<End> change() {
    for (const auto& [key, expected] : batch_.expected) {
      co_await pause();
      while (alive() && !db_.lock(xid_, key)) co_await pause();
      if (!alive()) co_return End::under_way;
      if (db_.version(key) != expected) co_return End::lost_race;
      Operation write = batch_.write;
      write.key = key;
      write.version = db_.write(xid_, key);
      batch_.made[key] = write.version;
      db_.at_commit(xid_, [&world = world_, &batch = batch_, write = std::move(write)]() mutable {
        write.visible = boot_time(world.now());
        world.tell("instance", write.instance, "commits", write.key, write.version,
                   StrictWrite::kWayNames[static_cast<std::size_t>(batch.way)], batch.hold);
        batch.in_history.push_back(world.history.add(write));
        batch.is_committed = true;
        if (batch.said_not_committed)
          world.lies.push_back("a write was committed after its client was told that it was not");
      });
    }
    co_return End::under_way;
  }

  World& world_;
  SimPostgres& db_;
  Batch& batch_;
  const int life_;
  Xid xid_ = 0;
};

}  // namespace

Script<> serve(World& world, std::shared_ptr<Batch> batch, int life) {
  Backend backend{world, *batch, life};
  co_await backend.run();
  batch->has_ended = true;
}

}  // namespace um::sim
