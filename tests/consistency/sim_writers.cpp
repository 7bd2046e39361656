#include "consistency/sim_writers.hpp"

namespace um::sim {
namespace {

constexpr std::size_t kNoInstance = 99;

Operation new_write(World& world, std::size_t instance, Promise promise) {
  return {.kind = Operation::Kind::write,
          .key = world.any_key(),
          .begin = boot_time(world.now),
          .end = test::kNever,
          .instance = instance,
          .promise = promise};
}

}  // namespace

void SqliteWriter::step(World& world) {
  ready_at = world.now + world.delay();
  switch (state_) {
    case State::begin:
      keys_ = world.one_in(3) ? world.keys : std::vector{world.any_key()};
      began_ = world.now;
      state_ = State::hold;
      return;
    case State::hold:
      if (instance_.writer_thread_busy) return;
      instance_.writer_thread_busy = true;
      if (!world.mutated(Mutation::commit_without_a_hold)) instance_.coherence.hold(keys_);
      state_ = State::commit;
      return;
    case State::commit:
      return commit(world);
    case State::settle: {
      const bool forget = world.mutated(Mutation::own_commit_not_logged);
      instance_.coherence.settle(keys_, forget ? std::nullopt : committed_as_);
      instance_.writer_thread_busy = false;
      state_ = State::answer;
      return;
    }
    case State::answer:
      for (const auto write : committed_) world.history.acknowledge(write, boot_time(world.now));
      world.evidence.writes += committed_.size();
      ready_at += world.between_writes;
      state_ = State::begin;
  }
}

void SqliteWriter::commit(World& world) {
  committed_.clear();
  committed_as_.reset();
  state_ = State::settle;
  if (world.one_in(6)) return;  // rolled back
  const Xid xid = world.database.begin();
  for (const auto& key : keys_)
    committed_.push_back(world.history.add({.kind = Operation::Kind::write,
                                            .key = key,
                                            .begin = boot_time(began_),
                                            .end = test::kNever,
                                            .version = world.database.write(xid, key),
                                            .visible = boot_time(world.now)}));
  world.database.commit(xid);
  committed_as_ = xid;
}

void BoundedWriter::step(World& world) {
  ready_at = world.now + world.delay();
  const std::vector<std::string> keys{write_.key};
  switch (state_) {
    case State::begin:
      write_ =
          new_write(world, instance_.number,
                    world.scenario.crashes ? Promise::bounded : Promise::bounded_but_own_at_once);
      state_ = State::hold;
      return;
    case State::hold:
      instance_.coherence.hold(keys);
      state_ = State::open;
      return;
    case State::open:
      xid_ = world.database.begin();
      life_ = world.database.life();
      write_.version = 0;
      state_ = State::write;
      return;
    case State::write:
      if (world.database.life() != life_) return end(world);
      if (!world.database.lock(xid_, write_.key)) return;
      write_.version = world.database.write(xid_, write_.key);
      state_ = State::commit;
      return;
    case State::commit:
      return end(world);
    case State::settle: {
      const bool log = committed_ && !world.mutated(Mutation::own_commit_not_logged);
      instance_.coherence.settle(keys, log ? std::optional{xid_} : std::nullopt);
      state_ = State::answer;
      return;
    }
    case State::answer:
      if (committed_) world.history.acknowledge(*committed_, boot_time(world.now));
      if (committed_) ++world.evidence.writes;
      ready_at += world.between_writes;
      state_ = State::begin;
  }
}

void BoundedWriter::end(World& world) {
  committed_.reset();
  const bool alive = world.database.life() == life_;
  if (alive && write_.version != 0 && !world.one_in(6)) {
    world.database.commit(xid_);
    write_.visible = boot_time(world.now);
    committed_ = world.history.add(write_);
  } else if (alive) {
    world.database.abort(xid_);
  }
  state_ = State::settle;
}

void StrictWriter::step(World& world) {
  ready_at = world.now + world.delay();
  switch (state_) {
    case State::begin:
      write_ = new_write(world, instance_.number, Promise::strict);
      state_ =
          world.mutated(Mutation::commit_wait_answer_without_a_hold) ? State::open : State::hold;
      return;
    case State::hold: {
      const Xid xid = world.database.begin();
      world.database.insert_hold(xid, write_.key);
      world.database.commit(xid);
      ++world.evidence.holds;
      state_ = State::waited_from_here;
      return;
    }
    case State::waited_from_here:  // the commit is acknowledged: t_A
      if (!world.mutated(Mutation::writer_does_not_wait)) ready_at = world.now + kT;
      state_ = State::open;
      return;
    case State::open:
      xid_ = world.database.begin();
      state_ = State::write;
      return;
    case State::write:
      if (!world.database.lock(xid_, write_.key)) return;
      write_.version = world.database.write(xid_, write_.key);
      state_ = State::commit;
      return;
    case State::commit:
      return commit(world);
    case State::answer:
      if (committed_) world.history.acknowledge(*committed_, boot_time(world.now));
      if (committed_) ++world.evidence.writes;
      ready_at += world.between_writes;
      state_ = State::begin;
  }
}

void StrictWriter::commit(World& world) {
  committed_.reset();
  const bool aborted = world.one_in(6);
  if (aborted) {
    world.database.abort(xid_);
    xid_ = world.database.begin();
  }
  if (!world.mutated(Mutation::commit_wait_answer_without_a_hold))
    world.database.delete_hold(xid_, write_.key);
  world.database.commit(xid_);
  write_.visible = boot_time(world.now);
  if (!aborted) committed_ = world.history.add(write_);
  if (world.mutated(Mutation::commit_wait_answer_without_a_hold)) ready_at = world.now + kT;
  state_ = State::answer;
}

void ForeignWriter::step(World& world) {
  ready_at = world.now + world.delay();
  switch (state_) {
    case State::begin:
      write_ = new_write(world, kNoInstance, Promise::bounded);
      xid_ = world.scenario.setup == Setup::sqlite ? 0 : world.database.begin();
      life_ = world.database.life();
      state_ = State::write;
      return;
    case State::write:
      if (world.database.life() != life_) {
        state_ = State::begin;
        return;
      }
      if (xid_ != 0 && !world.database.lock(xid_, write_.key)) return;
      write_.version = xid_ != 0 ? world.database.write(xid_, write_.key) : 0;
      state_ = State::commit;
      return;
    case State::commit:
      return commit(world);
  }
}

void ForeignWriter::commit(World& world) {
  ready_at += 2 * world.between_writes;
  state_ = State::begin;
  if (world.database.life() != life_) return;
  if (xid_ == 0)
    write_.version = world.database.foreign_write(write_.key);
  else
    world.database.commit(xid_);
  write_.visible = boot_time(world.now);
  world.history.add(write_);
}

}  // namespace um::sim
