#include "consistency/sim_database.hpp"

#include <algorithm>

namespace um::sim {

Xid SimDatabase::begin() {
  running_.try_emplace(next_xid_);
  return next_xid_++;
}

bool SimDatabase::lock(Xid xid, const std::string& key) {
  return locks_.try_emplace(key, xid).first->second == xid;
}

Version SimDatabase::write(Xid xid, const std::string& key) {
  running_.at(xid).writes.emplace_back(key, next_version_);
  return next_version_++;
}

void SimDatabase::insert_hold(Xid xid, const std::string& key) {
  running_.at(xid).new_holds.push_back(key);
}

void SimDatabase::delete_hold(Xid xid, const std::string& key) {
  running_.at(xid).old_holds.push_back(key);
}

void SimDatabase::commit(Xid xid) {
  const Transaction done = std::move(running_.at(xid));
  for (const auto& [key, version] : done.writes) {
    rows_[key] = version;
    changes_.push_back({.xid = xid, .key = key});
  }
  for (const auto& key : done.new_holds) holds_.insert(key);
  for (const auto& key : done.old_holds)
    if (const auto hold = holds_.find(key); hold != holds_.end()) holds_.erase(hold);
  last_committed_ = std::max(last_committed_, xid);
  abort(xid);
}

void SimDatabase::abort(Xid xid) {
  running_.erase(xid);
  std::erase_if(locks_, [&](const auto& lock) { return lock.second == xid; });
}

Version SimDatabase::foreign_write(const std::string& key) {
  ++data_version_;
  return rows_[key] = next_version_++;
}

SimDatabase::Row SimDatabase::read(const std::string& key) const {
  const auto row = rows_.find(key);
  return {.version = row != rows_.end() ? row->second : 0, .read_in = stamp()};
}

Stamp SimDatabase::stamp() const {
  Stamp stamp{.tau = tau_, .snapshot = {.xmax = next_xid_}};
  for (const auto& [xid, transaction] : running_) stamp.snapshot.xip.push_back(xid);
  return stamp;
}

// The list contains committed changes only, so those that `since` does not see became visible after
// it.
std::vector<Change> SimDatabase::changes_since(const Snapshot& since) const {
  std::vector<Change> fresh;
  std::ranges::copy_if(changes_, std::back_inserter(fresh),
                       [&](const Change& change) { return !since.sees(change.xid); });
  return fresh;
}

int SimDatabase::take_mark() {
  unseen_marks_.try_emplace(next_mark_, stamp());
  return next_mark_++;
}

void SimDatabase::commit_mark(int number) {
  marks_.insert(unseen_marks_.extract(number));
}

void SimDatabase::purge(std::size_t kept) {
  std::erase_if(marks_, [&](const auto& mark) { return mark.second.tau != tau_; });
  while (marks_.size() > kept) marks_.erase(marks_.begin());
  const auto behind = horizon();
  for (const auto& [number, mark] : marks_) {
    if (behind && !covers(mark.snapshot, *behind)) continue;
    horizon_ = mark;
    break;
  }
  if (const auto seen = horizon())
    std::erase_if(changes_, [&](const Change& change) { return seen->sees(change.xid); });
}

std::optional<Snapshot> SimDatabase::oldest_mark() const {
  for (const auto& [number, mark] : marks_)
    if (mark.tau == tau_) return mark.snapshot;
  return std::nullopt;
}

std::optional<Snapshot> SimDatabase::horizon() const {
  if (!horizon_ || horizon_->tau != tau_) return std::nullopt;
  return horizon_->snapshot;
}

void SimDatabase::crash(Incarnation incarnation) {
  ++life_;
  unseen_marks_.clear();
  running_.clear();
  locks_.clear();
  next_xid_ = last_committed_ + 1;
  if (incarnation == Incarnation::renewed) renew_tau();
}

}  // namespace um::sim
