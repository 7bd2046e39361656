// SimPostgres: the behaviour of PostgreSQL, and of the schema of the cache, as far as they matter
// to the protocol (docs/consistency.md, sections 2, 6 and 7). Each function is one statement, or
// one moment of a transaction: it happens at one instant, and the callers put time between them.
//
//   durable    rows, user_changes, marks, horizon, settings, and which transactions committed
//   unlogged   the incarnation, the registry, holds, acknowledgements; a crash empties them
//
// Transactions get ids when they begin and become visible when they commit, in any order; a
// snapshot lists those that run, in whichever database of the cluster. A crash ends all of them,
// and some ids are assigned again. A failover loses the last commits, a restore brings old rows
// back.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "storage/postgres/feed_steps.hpp"
#include "storage/postgres/lost_commit.hpp"
#include "storage/postgres/reaper.hpp"
#include "storage/postgres/strict_write.hpp"

namespace um::sim {

using Version = std::int64_t;  // 0: the row at the beginning

class SimPostgres {
 public:
  explicit SimPostgres(const CacheTimes& times) { durable_.times = times; }

  // ---- transactions

  Xid begin();
  // False if another transaction has the lock: try again later. Locks end with the transaction.
  bool lock(Xid xid, const std::string& name);
  void at_commit(Xid xid, std::function<void()> effect);
  // The transaction is on disk: a crash no longer undoes it, but nobody sees it yet.
  void flush(Xid xid) { running_.at(xid).flushed = true; }
  void commit(Xid xid);
  void abort(Xid xid);
  bool runs(Xid xid) const { return running_.contains(xid); }

  Snapshot snapshot() const;
  Version version(const std::string& key) const;
  // REQUIRES: lock(xid, key). Returns the version that the key has after the commit.
  Version write(Xid xid, const std::string& key);
  void write_flush_row(Xid xid);

  // ---- the feed

  std::string server() const;
  std::string name_space() const;  // empty: there is no incarnation
  struct Polled {
    PostgresPolls::Answer answer;
    FeedSteps::Settings settings{};
  };
  Polled poll(const PostgresPolls::Question& question) const;
  void repair();
  struct Joined {
    std::int64_t others = 0;
    std::string name_space{};
  };
  // nullopt: a writer that is alone has locked the registry.
  std::optional<Joined> join(const std::string& id, const std::vector<std::string>& former);
  struct Refreshed {
    std::size_t rows = 0;
    std::int64_t others = 0;
  };
  Refreshed refresh(const std::string& id);
  std::size_t acknowledge(const std::string& id, const Snapshot& seen);
  void leave(const std::vector<std::string>& ids);
  // The session with the advisory lock on this id has ended.
  void end_session(const std::string& id) { sessions_.erase(id); }

  // ---- writers

  void insert_holds(Xid xid, const std::string& hold, const std::vector<std::string>& keys);
  AckBoard board() const;
  StrictTerms terms() const;
  TransactionFate fate(Xid xid) const;
  // nullopt: a gate that is under way has locked rows of the hold.
  std::optional<std::size_t> withdraw_hold(const std::string& hold);

  // The gate, one statement after the other.
  bool has_epoch(std::int64_t epoch) const { return durable_.epoch == epoch; }
  // Nobody joins until the end of `xid`.
  void lock_registry(Xid xid);
  bool only_registered(const std::optional<std::string>& own) const;
  // The rows of the hold; deletes them with `xid`. nullopt: another transaction has locked one.
  std::optional<std::vector<Xid>> delete_hold(Xid xid, const std::string& hold);
  std::vector<std::string> registered() const;
  struct Gate {
    std::vector<std::string> registered{};
    std::optional<std::string> own{};
    std::vector<Xid> holds{};
    bool takes_any = false;  // a mutation: an acknowledgement of an earlier hold will do
  };
  bool all_acknowledged(const Gate& gate) const;

  // ---- upkeep

  std::vector<PostgresReaper::Instance> instances() const;
  std::size_t expel(const std::string& id, std::int64_t refreshes);
  std::size_t drop_holds(const std::vector<std::string>& holds);
  void purge_acks();
  void take_mark(Xid xid);
  // Removes all marks of this namespace but the newest `kept`, and the changes that the oldest
  // remaining one sees.
  void purge(std::size_t kept);
  std::size_t marks() const { return durable_.marks.size(); }
  std::optional<Snapshot> oldest_mark() const;

  // ---- faults. All of them but the epoch end every connection and every transaction.

  void bump_epoch(Xid xid);
  enum class Incarnation { lost, kept };
  void crash(Incarnation incarnation);
  void restart();  // a clean one: unlogged rows stay
  struct Copy;
  Copy copy() const;
  // The standby that had this state takes over.
  void fail_over(const Copy& standby);
  // A dump with this state is restored: into another cluster, with unlogged rows.
  void restore(const Copy& dump);
  // Ends of all connections so far.
  int life() const { return life_; }
  bool is_up(std::int64_t now) const { return now >= up_at_; }
  void down_until(std::int64_t time) { up_at_ = time; }
  bool holds_anything() const { return !unlogged_.holds.empty(); }

  // Called for each row that a failover or a restore has set back; it gets a new version.
  std::function<void(const std::string& key, Version version)> on_set_back{};
  // Mutations of the poll's statement.
  bool hides_older_holds = false;
  bool horizon_by_number = false;
  bool hides_horizon_at_start = false;

 private:
  struct Mark {
    std::string name_space;
    Snapshot snapshot;
  };
  struct Durable {
    std::map<std::string, Version> rows{};
    std::vector<Change> changes{};  // committed
    std::vector<Mark> marks{};      // in the order of their numbers
    std::optional<Mark> horizon{};
    std::int64_t epoch = 1;
    CacheTimes times{};
    int timeline = 1;
    Xid next_xid = 100;
    Xid last_flushed = 99;
    std::set<Xid> committed{};
  };
  struct Hold {
    std::string id;
    std::string key;
    Xid xid;
  };
  struct Row {
    std::string id;
    std::int64_t refreshes = 0;
  };
  struct Unlogged {
    std::optional<int> incarnation = 1;
    std::vector<Hold> holds{};
    std::vector<Row> instances{};
    std::vector<AckBoard::Ack> acks{};
  };
  struct Transaction {
    std::vector<std::function<void()>> effects{};
    bool flushed = false;
  };

  bool is_locked(const std::string& name) const { return locks_.contains(name); }
  static std::string lock_of(const Hold& hold) { return hold.id + " " + hold.key; }
  void end_connections();
  void set_back_rows(const std::map<std::string, Version>& rows);
  std::vector<Change> changes_since(const Snapshot& since) const;

  Durable durable_;
  Unlogged unlogged_;
  std::map<Xid, Transaction> running_;
  std::map<std::string, Xid> locks_;
  std::set<Xid> lone_writers_;  // have locked the registry
  std::set<std::string> sessions_;
  Version next_version_ = 1;  // of all of history: no failover takes it back
  int clusters_ = 1;
  int starts_ = 1;
  int incarnations_ = 1;
  int life_ = 0;
  std::int64_t up_at_ = 0;

 public:
  struct Copy {
    Durable durable;
    Unlogged unlogged;
  };
};

}  // namespace um::sim
