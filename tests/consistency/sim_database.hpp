// SimDatabase: the behaviour of a database as far as it matters to the cache. Transactions get ids
// when they begin, and become visible when they commit, in any order. A read is one instant and
// returns its snapshot.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "storage/change_feed.hpp"
#include "support/history.hpp"

namespace um::sim {

using Time = std::int64_t;     // of one perfect clock, which never gives the same time twice
using Version = std::int64_t;  // 0: the row at the beginning
using test::Operation;
using test::Promise;

class SimDatabase {
 public:
  // A PostgreSQL-like transaction; several run at once.
  Xid begin();
  // False if another transaction has written the row: try again later.
  bool lock(Xid xid, const std::string& key);
  // REQUIRES: lock(). Returns the new version, in the order of the writes of the key.
  Version write(Xid xid, const std::string& key);
  void insert_hold(Xid xid, const std::string& key);
  void delete_hold(Xid xid, const std::string& key);
  void commit(Xid xid);
  void abort(Xid xid);

  // A commit that changes only data_version (another process on SQLite).
  Version foreign_write(const std::string& key);
  std::uint64_t data_version() const { return data_version_; }

  struct Row {
    Version version;
    Stamp read_in;
  };
  Row read(const std::string& key) const;
  Stamp stamp() const;
  // The changes that became visible since `since`, except those that were purged.
  std::vector<Change> changes_since(const Snapshot& since) const;
  std::vector<std::string> holds() const { return {holds_.begin(), holds_.end()}; }

  // A mark gets its number and its snapshot at one instant and becomes visible at another. Marks
  // become visible in any order, so purge() must not rely on their numbers.
  int take_mark();
  void commit_mark(int number);
  // Removes all marks but the newest `kept`, and the changes that the oldest remaining mark sees.
  void purge(std::size_t kept);
  // The visible mark with the lowest number.
  std::optional<Snapshot> oldest_mark() const;
  // A snapshot that sees every change that was removed in this namespace.
  std::optional<Snapshot> horizon() const;

  void renew_tau() { ++tau_.low; }
  // Ends all running transactions. Their ids, and those of the last aborted ones, are assigned
  // again.
  enum class Incarnation { renewed, kept };
  void crash(Incarnation incarnation);
  // Counts crashes: a transaction of an earlier life has ended, even if its id is in use again.
  int life() const { return life_; }

 private:
  struct Transaction {
    std::vector<std::pair<std::string, Version>> writes;
    std::vector<std::string> new_holds;
    std::vector<std::string> old_holds;
  };
  Tau tau_{.high = 1, .low = 1};
  Xid next_xid_ = 100;
  Xid last_committed_ = 99;
  Version next_version_ = 1;
  std::uint64_t data_version_ = 0;
  int life_ = 0;
  std::map<Xid, Transaction> running_;
  std::map<std::string, Xid> locks_;
  std::map<std::string, Version> rows_;
  std::multiset<std::string> holds_;
  std::vector<Change> changes_;  // committed, in the order of commits
  int next_mark_ = 1;
  std::map<int, Stamp> unseen_marks_;
  std::map<int, Stamp> marks_;
  std::optional<Stamp> horizon_;
};

}  // namespace um::sim
