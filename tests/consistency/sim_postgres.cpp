#include "consistency/sim_postgres.hpp"

#include <algorithm>

namespace um::sim {

Xid SimPostgres::begin() {
  running_.try_emplace(durable_.next_xid);
  return durable_.next_xid++;
}

bool SimPostgres::lock(Xid xid, const std::string& name) {
  return locks_.try_emplace(name, xid).first->second == xid;
}

void SimPostgres::at_commit(Xid xid, std::function<void()> effect) {
  running_.at(xid).effects.push_back(std::move(effect));
}

void SimPostgres::commit(Xid xid) {
  const Transaction done = std::move(running_.at(xid));
  for (const auto& effect : done.effects) effect();
  if (done.flushed) durable_.last_flushed = std::max(durable_.last_flushed, xid);
  durable_.committed.insert(xid);
  abort(xid);
}

void SimPostgres::abort(Xid xid) {
  running_.erase(xid);
  lone_writers_.erase(xid);
  std::erase_if(locks_, [&](const auto& lock) { return lock.second == xid; });
}

Snapshot SimPostgres::snapshot() const {
  Snapshot now{.xmax = durable_.next_xid};
  for (const auto& [xid, transaction] : running_) now.xip.push_back(xid);
  return now;
}

Version SimPostgres::version(const std::string& key) const {
  const auto row = durable_.rows.find(key);
  return row == durable_.rows.end() ? 0 : row->second;
}

Version SimPostgres::write(Xid xid, const std::string& key) {
  const Version version = next_version_++;
  at_commit(xid, [this, xid, key, version] {
    durable_.rows[key] = version;
    durable_.changes.push_back({.xid = xid, .key = key});
  });
  return version;
}

void SimPostgres::write_flush_row(Xid xid) {
  at_commit(xid, [this, xid] { durable_.changes.push_back({.xid = xid, .key = {}}); });
}

std::string SimPostgres::server() const {
  return "cluster" + std::to_string(clusters_) + " database " + std::to_string(durable_.timeline) +
         " " + std::to_string(starts_);
}

std::string SimPostgres::name_space() const {
  if (!unlogged_.incarnation) return {};
  return server() + " " + std::to_string(durable_.epoch) + " " +
         std::to_string(*unlogged_.incarnation);
}

// The list contains committed changes only, so those that `since` does not see became visible after
// it.
std::vector<Change> SimPostgres::changes_since(const Snapshot& since) const {
  std::vector<Change> fresh;
  std::ranges::copy_if(durable_.changes, std::back_inserter(fresh),
                       [&](const Change& change) { return !since.sees(change.xid); });
  return fresh;
}

std::optional<Snapshot> SimPostgres::oldest_mark() const {
  const std::string here = name_space();
  for (const Mark& mark : durable_.marks)
    if (mark.name_space == here) return mark.snapshot;
  return std::nullopt;
}

SimPostgres::Polled SimPostgres::poll(const PostgresPolls::Question& question) const {
  Polled polled{
      .answer = {.sent_at = {}, .name_space = name_space(), .now = snapshot(), .since = {}},
      .settings = {.epoch = durable_.epoch,
                   .times = durable_.times,
                   .former_bound = durable_.times.staleness_bound}};
  PostgresPolls::Answer& answer = polled.answer;
  answer.since = question.since ? *question.since : oldest_mark().value_or(answer.now);
  if (durable_.horizon && durable_.horizon->name_space == answer.name_space)
    answer.horizon = horizon_by_number ? oldest_mark() : durable_.horizon->snapshot;
  if (hides_horizon_at_start && !question.since) answer.horizon.reset();
  answer.changes = changes_since(answer.since);
  if (answer.changes.size() > question.limit) answer.changes.resize(question.limit);
  const auto holds_since = hides_older_holds ? std::optional{answer.since} : question.since;
  for (const Hold& hold : unlogged_.holds) {
    const bool known =
        std::ranges::find(question.known_holds, hold.id) != question.known_holds.end();
    if (!holds_since || !holds_since->sees(hold.xid) || known)
      answer.holds.push_back({.id = hold.id, .key = hold.key});
  }
  return polled;
}

void SimPostgres::repair() {
  if (!unlogged_.incarnation) unlogged_.incarnation = ++incarnations_;
}

auto SimPostgres::join(const std::string& id, const std::vector<std::string>& former)
    -> std::optional<Joined> {
  if (!lone_writers_.empty()) return std::nullopt;
  const Xid xid = begin();
  leave(former);
  Joined joined{.others = static_cast<std::int64_t>(unlogged_.instances.size()),
                .name_space = name_space()};
  unlogged_.instances.push_back({.id = id});
  sessions_.insert(id);
  commit(xid);
  return joined;
}

auto SimPostgres::refresh(const std::string& id) -> Refreshed {
  const auto row = std::ranges::find(unlogged_.instances, id, &Row::id);
  if (row == unlogged_.instances.end()) return {};
  ++row->refreshes;
  return {.rows = 1, .others = static_cast<std::int64_t>(unlogged_.instances.size()) - 1};
}

std::size_t SimPostgres::acknowledge(const std::string& id, const Snapshot& seen) {
  if (std::ranges::find(unlogged_.instances, id, &Row::id) == unlogged_.instances.end()) return 0;
  const Xid xid = begin();
  unlogged_.acks.push_back({.instance = id, .xid = xid, .seen = seen});
  commit(xid);
  return 1;
}

void SimPostgres::leave(const std::vector<std::string>& ids) {
  std::erase_if(unlogged_.instances,
                [&](const Row& row) { return std::ranges::find(ids, row.id) != ids.end(); });
}

void SimPostgres::insert_holds(Xid xid, const std::string& hold,
                               const std::vector<std::string>& keys) {
  at_commit(xid, [this, xid, hold, keys] {
    for (const auto& key : keys) {
      const bool there = std::ranges::any_of(
          unlogged_.holds, [&](const Hold& other) { return other.id == hold && other.key == key; });
      if (!there) unlogged_.holds.push_back({.id = hold, .key = key, .xid = xid});
    }
  });
}

AckBoard SimPostgres::board() const {
  AckBoard board{.acks = unlogged_.acks};
  for (const Row& row : unlogged_.instances) board.instances.push_back({.id = row.id, .name = {}});
  return board;
}

StrictTerms SimPostgres::terms() const {
  const auto bound = durable_.times.staleness_bound;
  return {.name_space = name_space(),
          .epoch = durable_.epoch,
          .mode = durable_.times.mode,
          .longest_lease = longest_lease(bound)};
}

TransactionFate SimPostgres::fate(Xid xid) const {
  if (xid >= durable_.next_xid) return TransactionFate::unknown;
  if (running_.contains(xid)) return TransactionFate::running;
  return durable_.committed.contains(xid) ? TransactionFate::committed
                                          : TransactionFate::not_committed;
}

std::optional<std::size_t> SimPostgres::withdraw_hold(const std::string& hold) {
  const bool locked = std::ranges::any_of(
      unlogged_.holds, [&](const Hold& row) { return row.id == hold && is_locked(lock_of(row)); });
  if (locked) return std::nullopt;
  return std::erase_if(unlogged_.holds, [&](const Hold& row) { return row.id == hold; });
}

void SimPostgres::lock_registry(Xid xid) {
  lone_writers_.insert(xid);
}

bool SimPostgres::only_registered(const std::optional<std::string>& own) const {
  return std::ranges::all_of(unlogged_.instances, [&](const Row& row) { return row.id == own; });
}

std::optional<std::vector<Xid>> SimPostgres::delete_hold(Xid xid, const std::string& hold) {
  std::vector<Xid> xids;
  for (const Hold& row : unlogged_.holds) {
    if (row.id != hold) continue;
    if (!lock(xid, lock_of(row))) return std::nullopt;
    xids.push_back(row.xid);
  }
  at_commit(xid, [this, hold] {
    std::erase_if(unlogged_.holds, [&](const Hold& row) { return row.id == hold; });
  });
  return xids;
}

bool SimPostgres::all_acknowledged(const Gate& gate) const {
  return std::ranges::all_of(gate.registered, [&](const std::string& id) {
    return id == gate.own || std::ranges::any_of(unlogged_.acks, [&](const AckBoard::Ack& ack) {
             if (ack.instance != id) return false;
             if (gate.takes_any) return true;
             return std::ranges::all_of(
                 gate.holds, [&](Xid hold) { return ack.xid > hold && ack.seen.sees(hold); });
           });
  });
}

std::vector<std::string> SimPostgres::registered() const {
  std::vector<std::string> ids;
  for (const Row& row : unlogged_.instances) ids.push_back(row.id);
  return ids;
}

std::vector<PostgresReaper::Instance> SimPostgres::instances() const {
  std::vector<PostgresReaper::Instance> all;
  for (const Row& row : unlogged_.instances)
    all.push_back({.id = row.id,
                   .refreshes = row.refreshes,
                   .session_has_ended = !sessions_.contains(row.id)});
  return all;
}

std::size_t SimPostgres::expel(const std::string& id, std::int64_t refreshes) {
  return std::erase_if(unlogged_.instances,
                       [&](const Row& row) { return row.id == id && row.refreshes == refreshes; });
}

std::size_t SimPostgres::drop_holds(const std::vector<std::string>& holds) {
  return std::erase_if(unlogged_.holds, [&](const Hold& row) {
    return std::ranges::find(holds, row.id) != holds.end() && !is_locked(lock_of(row));
  });
}

void SimPostgres::purge_acks() {
  Xid oldest = durable_.next_xid;
  if (!unlogged_.holds.empty()) oldest = std::ranges::min(unlogged_.holds, {}, &Hold::xid).xid;
  std::erase_if(unlogged_.acks, [&](const AckBoard::Ack& ack) { return ack.xid < oldest; });
}

// A mark gets its place and its snapshot at one instant and becomes visible at another.
void SimPostgres::take_mark(Xid xid) {
  const Mark mark{.name_space = name_space(), .snapshot = snapshot()};
  at_commit(xid, [this, mark] {
    const auto place = std::ranges::upper_bound(durable_.marks, mark.snapshot.xmax, {},
                                                [](const Mark& m) { return m.snapshot.xmax; });
    durable_.marks.insert(place, mark);
  });
}

void SimPostgres::purge(std::size_t kept) {
  const std::string here = name_space();
  if (here.empty()) return;
  std::erase_if(durable_.marks, [&](const Mark& mark) { return mark.name_space != here; });
  while (durable_.marks.size() > kept) durable_.marks.erase(durable_.marks.begin());
  if (durable_.horizon && durable_.horizon->name_space != here) durable_.horizon.reset();
  for (const Mark& mark : durable_.marks) {
    if (durable_.horizon && !covers(mark.snapshot, durable_.horizon->snapshot)) continue;
    durable_.horizon = mark;
    break;
  }
  if (!durable_.horizon) return;
  std::erase_if(durable_.changes,
                [&](const Change& change) { return durable_.horizon->snapshot.sees(change.xid); });
}

void SimPostgres::bump_epoch(Xid xid) {
  write_flush_row(xid);
  at_commit(xid, [this] { ++durable_.epoch; });
}

// What was on disk becomes visible by the recovery.
void SimPostgres::end_connections() {
  ++life_;
  std::vector<Xid> recovered;
  for (const auto& [xid, transaction] : running_)
    if (transaction.flushed) recovered.push_back(xid);
  for (const Xid xid : recovered) commit(xid);
  running_.clear();
  locks_.clear();
  lone_writers_.clear();
  sessions_.clear();
}

void SimPostgres::crash(Incarnation incarnation) {
  end_connections();
  unlogged_ = {.incarnation = std::nullopt};
  if (incarnation == Incarnation::kept) unlogged_.incarnation = incarnations_;
  durable_.next_xid = durable_.last_flushed + 1;
  std::erase_if(durable_.committed, [&](Xid xid) { return xid >= durable_.next_xid; });
}

void SimPostgres::restart() {
  end_connections();
  ++starts_;
}

auto SimPostgres::copy() const -> Copy {
  return {.durable = durable_, .unlogged = unlogged_};
}

void SimPostgres::set_back_rows(const std::map<std::string, Version>& rows) {
  for (auto& [key, version] : durable_.rows) {
    const auto before = rows.find(key);
    if (before != rows.end() && before->second == version) continue;
    version = next_version_++;
    if (on_set_back) on_set_back(key, version);
  }
}

void SimPostgres::fail_over(const Copy& standby) {
  end_connections();
  const std::map<std::string, Version> before = durable_.rows;
  const int timeline = durable_.timeline + 1;
  durable_ = standby.durable;
  for (const auto& [key, version] : before) durable_.rows.try_emplace(key, 0);
  durable_.timeline = timeline;
  unlogged_ = {.incarnation = std::nullopt};
  set_back_rows(before);
}

void SimPostgres::restore(const Copy& dump) {
  end_connections();
  const std::map<std::string, Version> before = durable_.rows;
  const Xid next_xid = durable_.next_xid;
  durable_ = dump.durable;
  for (const auto& [key, version] : before) durable_.rows.try_emplace(key, 0);
  durable_.committed.clear();
  durable_.next_xid = next_xid % 2 == 0 ? next_xid : 100;
  durable_.last_flushed = durable_.next_xid - 1;
  unlogged_ = dump.unlogged;
  ++clusters_;
  set_back_rows(before);
}

}  // namespace um::sim
