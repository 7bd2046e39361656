#include "consistency/sim_strict_writer.hpp"

namespace um::sim {
namespace {

using WriteEnd = PostgresWriteObserver::WriteEnd;

constexpr Time kAskEvery = 75'000;

constexpr bool has_hold(StrictWrite::Way way) {
  return way == StrictWrite::Way::acknowledged || way == StrictWrite::Way::waited;
}

// A, in the server: its transaction gets its id at one moment and becomes visible at another.
struct Placing {
  Xid xid = 0;
  bool done = false;
};

std::shared_ptr<Placing> place_holds(World& world, const std::string& hold,
                                     const std::vector<std::string>& keys) {
  auto placing = std::make_shared<Placing>();
  placing->xid = world.postgres.begin();
  world.postgres.insert_holds(placing->xid, hold, keys);
  auto commit = [](World& at, std::shared_ptr<Placing> what, int life) -> Script<> {
    co_await at.sleep(nullptr, at.delay() / 2 + 1);
    if (at.postgres.life() != life) co_return;
    at.postgres.commit(what->xid);
    what->done = true;
  };
  world.spawn(commit(world, placing, world.postgres.life()));
  return placing;
}

}  // namespace

Script<> StrictWriter::run() {
  for (;;) {
    co_await world_.sleep(&me_.host, world_.up_to(world_.between_writes));
    co_await write();
  }
}

Script<> StrictWriter::write() {
  using Act = StrictWrite::Step::Act;
  steps_.emplace([this] { return me_.own_holds + std::to_string(world_.next_id++); });
  began_ = world_.now();
  deadline_ = began_ + 4 * kStaleness;
  keys_ = {world_.any_key()};
  if (world_.one_in(4)) keys_.insert(world_.any_key());
  remaining_hold_.clear();
  Next next = Next::plan;
  for (int attempt = 1; next != Next::end && !is_late();) {
    if (next == Next::plan) {
      const bool planned = co_await plan(attempt++);
      if (!planned) break;
    }
    const bool known = co_await know_terms();
    if (!known) break;
    const StrictTerms terms = *me_.terms();
    StrictWrite::Step step = steps_->next(terms, keys_, me_.clock());
    next = Next::step;
    if (world_.mutated(Mutation::commit_wait_answer_without_a_hold) && step.act == Act::place)
      step = {.act = Act::commit, .way = Way::bounded};
    if (step.act == Act::place) {
      const bool placed = co_await place(step.keys, terms);
      if (!placed) break;
    } else if (step.act == Act::wait) {
      co_await wait(step.until, terms);
    } else if (step.act == Act::commit) {
      next = co_await commit(step.way, terms);
      if (next == Next::step && (step.way == Way::waited || elsewhere_))
        co_await world_.sleep(&me_.host, world_.up_to(kAskEvery));
    } else {
      break;
    }
  }
  if (remaining_hold_.empty()) co_return;
  ++world_.evidence.abandoned;
  me_.abandoned.push_back(remaining_hold_);
}

Script<bool> StrictWriter::know_terms() {
  if (me_.terms()) co_return true;
  auto statement = [&db = world_.postgres] { return db.terms(); };
  std::optional<StrictTerms> terms = co_await me_.run(me_.look_ups, statement);
  if (!terms || terms->name_space.empty()) co_return false;
  me_.own_terms = std::move(*terms);
  co_return true;
}

// R: the rows as memory knows them, after a lost race as the primary does.
Script<bool> StrictWriter::plan(int attempt) {
  if (attempt > 1 && world_.one_in(3)) keys_.insert(world_.any_key());
  expected_.clear();
  for (const std::string& key : keys_) {
    if (attempt == 1 && me_.coherence.lease_valid(me_.clock())) {
      if (const auto value = me_.coherence.look_up(key)) {
        expected_[key] = version_of(*value);
        continue;
      }
    }
    auto statement = [&db = world_.postgres, key] { return db.version(key); };
    const auto version = co_await me_.run(me_.look_ups, statement);
    if (!version) co_return false;
    expected_[key] = *version;
  }
  co_return true;
}

Script<bool> StrictWriter::place(std::vector<std::string> keys, StrictTerms terms) {
  if (!remaining_hold_.empty() && remaining_hold_ != steps_->hold_id())
    me_.abandoned.push_back(remaining_hold_);
  remaining_hold_ = steps_->hold_id();
  registered_ = world_.postgres.registered();
  const bool opened = co_await me_.ready(me_.writes);
  if (!opened) co_return false;
  const std::string note = me_.writes.note;
  const int life = me_.writes.life;
  auto statement = [&world = world_, hold = remaining_hold_, keys] {
    return place_holds(world, hold, keys);
  };
  const auto placing = co_await me_.run(me_.writes, statement);
  if (!placing) co_return false;
  while (!(*placing)->done) {
    if (world_.postgres.life() != life) co_return false;
    co_await world_.sleep(&me_.host, world_.delay() / 4 + 1);
  }
  world_.tell("instance", me_.number, "has placed", remaining_hold_, "on", keys.size(), "keys, xid",
              (*placing)->xid);
  steps_->placed(keys, (*placing)->xid, me_.clock(), note);
  world_.notify_others(me_.number, &Instance::wake);
  if (note != terms.name_space) {
    me_.own_terms.reset();
    co_await me_.pause();
  }
  co_return true;
}

Script<> StrictWriter::wait(BootTime until, StrictTerms terms) {
  const Time end = std::min(me_.global(until), deadline_ + 1);
  if (!terms.first_seen) {
    co_await world_.sleep(&me_.host, std::max<Time>(end - world_.now(), 1));
    co_return;
  }
  while (world_.now() < end) {
    co_await me_.wait_for(me_.seen, std::min(end, world_.now() + kAskEvery));
    me_.seen.take();
    auto statement = [&db = world_.postgres] { return db.board(); };
    const auto board = co_await me_.run(me_.look_ups, statement);
    if (!board) continue;
    const bool everybody = world_.mutated(Mutation::acknowledgement_of_an_earlier_hold) ||
                           world_.mutated(Mutation::registry_read_before_the_hold) ||
                           board->missing(terms.instance, steps_->hold_xids()).empty();
    if (!everybody) continue;
    steps_->acknowledged();
    co_return;
  }
}

// B.
auto StrictWriter::commit(Way way, StrictTerms terms) -> Script<Next> {
  elsewhere_ = false;
  const bool opened = co_await me_.ready(me_.writes);
  if (!opened) co_return Next::end;
  if (me_.writes.note != terms.name_space) {
    elsewhere_ = true;
    me_.writes.close();
    me_.own_terms.reset();
    co_return Next::step;
  }
  const int life = me_.writes.life;
  auto batch = std::make_shared<Batch>(world_.timeline);
  batch->write = {.kind = Operation::Kind::write,
                  .begin = boot_time(began_),
                  .end = test::kNever,
                  .instance = me_.number,
                  .promise = world_.scenario.deployment == Deployment::postgres_strict
                                 ? Promise::strict
                                 : Promise::bounded_but_own_at_once};
  batch->expected = expected_;
  batch->way = way;
  batch->own = terms.instance;
  batch->epoch = terms.epoch;
  if (has_hold(way)) {
    batch->hold = steps_->hold_id();
    batch->held_keys = steps_->held_keys().size();
  }
  if (world_.mutated(Mutation::registry_read_before_the_hold)) batch->registered = registered_;

  const std::vector<std::string> keys{keys_.begin(), keys_.end()};
  me_.delivery.before_commit(keys);
  world_.spawn(serve(world_, batch, life));
  const bool breaks = world_.one_in(world_.one_connection_in_breaks);
  const Time given_up_at = breaks ? world_.now() + world_.delay() : kNever;
  while (batch->end == Batch::End::under_way && world_.postgres.life() == life &&
         world_.now() < given_up_at) {
    const Time next_look = std::min(given_up_at, world_.now() + kAskEvery);
    co_await me_.wait_for(batch->news, next_look);
  }
  co_await me_.pause();
  if (breaks || batch->end == Batch::End::under_way) {
    me_.writes.close();
    if (!batch->has_begun) batch->never_arrives = world_.one_in(2);
    co_await after_loss(batch, terms);
    co_return Next::end;
  }
  WriteEnd end{};
  const bool visible =
      batch->end == Batch::End::committed || batch->end == Batch::End::not_replicated;
  if (visible)
    end = {.fate = WriteEnd::Fate::committed, .xid = *batch->xid, .tau = tau_of(terms.name_space)};
  me_.delivery.after_commit(keys, end, me_.clock());
  if (visible) remaining_hold_.clear();
  switch (batch->end) {
    case Batch::End::committed:
      if (world_.mutated(Mutation::commit_wait_answer_without_a_hold) && way == Way::bounded)
        co_await world_.sleep(&me_.host, kStaleness + kStaleness / 100);
      count(way);
      co_await me_.pause();
      tell_committed(*batch);
      co_return Next::end;
    case Batch::End::not_replicated:
      ++world_.evidence.unknown;
      co_return Next::end;
    case Batch::End::other_epoch:
      elsewhere_ = true;
      me_.own_terms.reset();
      co_return Next::step;
    case Batch::End::hold_is_gone:
      ++world_.evidence.lost_holds;
      steps_->gate_lost_the_hold();
      co_return Next::step;
    case Batch::End::not_yet:
      ++world_.evidence.not_yet;
      steps_->gate_not_yet(way);
      if (way == Way::alone) me_.steps.note_company();
      co_return Next::step;
    case Batch::End::lost_race:
      ++world_.evidence.lost_races;
      co_return Next::plan;
    case Batch::End::under_way:
      break;
  }
  co_return Next::end;
}

Script<> StrictWriter::after_loss(std::shared_ptr<Batch> batch, StrictTerms terms) {
  using Ask = LostCommit::Ask;
  using End = LostCommit::End;
  const std::vector<std::string> keys{keys_.begin(), keys_.end()};
  const Time until = world_.now() + 2 * kStaleness;
  const std::optional<Xid> xid = world_.one_in(3) ? std::nullopt : batch->xid;
  LostCommit lost{{.held_keys = batch->held_keys, .xid = xid, .server_process = true}};
  for (Ask ask = lost.next(); ask != Ask::nothing && world_.now() < until; ask = lost.next()) {
    if (ask == Ask::withdraw_hold) {
      auto withdraw = [&db = world_.postgres, hold = batch->hold] {
        return db.withdraw_hold(hold);
      };
      const auto rows = co_await me_.run(me_.writes, withdraw);
      if (rows && *rows) lost.withdrawn(**rows);
    } else if (ask == Ask::fate) {
      const bool opened = co_await me_.ready(me_.look_ups);
      if (!opened) continue;
      const bool same = me_.look_ups.note == terms.name_space;
      auto status = [&db = world_.postgres, id = *xid] { return db.fate(id); };
      const auto fate = co_await me_.run(me_.look_ups, status);
      if (!fate) continue;
      const bool counts = same || world_.mutated(Mutation::fate_across_a_crash);
      lost.fate_is(counts ? *fate : TransactionFate::unknown);
    } else if (ask == Ask::server_process) {
      const auto ended = co_await me_.has_ended(batch, terms.name_space);
      if (ended && *ended) lost.server_process_has_ended();
    } else {
      co_await me_.pause();
    }
  }
  world_.tell("instance", me_.number, "lost a connection; the end:", static_cast<int>(lost.end()));
  if (lost.hold_is_gone()) remaining_hold_.clear();
  const WriteEnd perhaps{
      .fate = WriteEnd::Fate::committed, .xid = xid.value_or(0), .tau = tau_of(terms.name_space)};
  switch (lost.end()) {
    case End::committed:
      me_.delivery.after_commit(keys, perhaps, me_.clock());
      count(batch->way);
      tell_committed(*batch);
      co_return;
    case End::not_committed:
      me_.delivery.after_commit(keys, {}, me_.clock());
      tell_not_committed(*batch);
      co_return;
    case End::ended:
      me_.delivery.after_commit(keys, {.fate = WriteEnd::Fate::unknown}, me_.clock());
      co_await look(batch);
      co_return;
    case End::unknown:
      me_.delivery.after_commit(keys, perhaps, me_.clock());
      break;
    case End::running:
      me_.unsettled.push_back({.keys = keys, .batch = batch, .name_space = terms.name_space});
      break;
  }
  ++world_.evidence.unknown;
}

// The transaction has surely ended, and the rows may show how.
Script<> StrictWriter::look(std::shared_ptr<Batch> batch) {
  auto statement = [&db = world_.postgres, asked = batch] {
    return std::ranges::all_of(
               asked->made,
               [&](const auto& made) { return db.version(made.first) == made.second; }) &&
           !asked->made.empty();
  };
  const auto made = co_await me_.run(me_.look_ups, statement);
  ++world_.evidence.unknown;
  if (!made) co_return;
  if (*made)
    tell_committed(*batch);
  else if (!batch->is_committed)
    tell_not_committed(*batch);
}

void StrictWriter::tell_committed(const Batch& batch) {
  if (!batch.is_committed) world_.lies.push_back("a client was told of a commit that is none");
  world_.tell("instance", me_.number, "answers: committed", *keys_.begin());
  for (const std::size_t write : batch.in_history)
    world_.history.acknowledge(write, boot_time(world_.now()));
}

void StrictWriter::tell_not_committed(Batch& batch) {
  if (batch.is_committed)
    world_.lies.push_back("a client was told that its committed write was not");
  world_.tell("instance", me_.number, "answers: not committed", *keys_.begin());
  batch.said_not_committed = true;
}

void StrictWriter::count(Way way) {
  ++world_.evidence.writes;
  if (way == Way::alone) ++world_.evidence.alone;
  if (way == Way::acknowledged) ++world_.evidence.acknowledged;
  if (way == Way::waited) ++world_.evidence.waited;
}

}  // namespace um::sim
