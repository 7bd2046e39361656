// PostgresChangeFeed: the ChangeFeed of a PostgreSQL database (docs/consistency.md, "The feed"): a
// thread with a direct connection to the primary, which asks every poll interval what changed.
//
// On the same thread this instance is kept in the registry of instances: its lease depends on
// refreshes that were acknowledged, so that others may forget an instance that is silent for long.
// An instance registers first and polls then; a lease from a poll before it was registered would
// let it answer from memory while writers do not reckon with it.
//
// Own writes. before_commit() and after_commit() pass on hold and settle. One case needs more: a
// poll that makes the cache start from nothing throws its log away. What was settled between that
// poll's question and now is not in its snapshot and would be forgotten. Such keys are held again
// before the poll is applied, and until a later poll has brought their change.
//
// Every minute a mark is written: a snapshot that newly started instances reach back to. Rows of
// user_changes that the oldest kept mark sees are deleted in small batches.
//
// Thread safety: any thread; before_commit/after_commit wait for no I/O.
#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/query_stats.hpp"
#include "drivers/pg/direct_connection.hpp"
#include "storage/change_feed.hpp"
#include "storage/postgres/polls.hpp"
#include "storage/postgres/registry.hpp"
#include "storage/postgres/write_observer.hpp"
#include "storage/postgres/settled_writes.hpp"

namespace um {

class PostgresChangeFeed final : public ChangeFeed, public PostgresWriteObserver {
 public:
  using ms = std::chrono::milliseconds;
  struct Options {
    Secret url{};
    const Clock* clock;  // outlives the feed
    ms poll_interval{75};
    PostgresPolls::Limits limits{};
    // One statement; longer than the staleness bound makes no sense.
    ms statement_time{1000};
    ms connect_time{3000};
    std::chrono::seconds mark_every{60};
    std::function<void(std::string_view)> log{};  // for people; feed's thread
    // The database is in another namespace than at the last poll (or this is the first): what other
    // connections took for it before is of no use. Feed's thread.
    std::function<void()> on_new_namespace{};
  };
  explicit PostgresChangeFeed(Options options);
  ~PostgresChangeFeed() override;

  void start(ChangeListener& listener) override;
  void stop() override;

  void before_commit(std::span<const std::string> keys) override;
  void after_commit(std::span<const std::string> keys, std::optional<Xid> xid) override;

  using QueryStats = um::QueryStats<pg::Query>;
  const QueryStats& query_stats() const { return stats_; }

 private:
  void loop();
  bool connect();
  // One round: a poll and what is due beside it. False: the connection is of no use any more.
  pg::Outcome<void> round();
  pg::Outcome<void> poll();
  pg::Outcome<void> repair_namespace();
  pg::Outcome<void> keep_registered();
  pg::Outcome<void> take_mark();
  pg::Outcome<void> purge();
  void apply(const PostgresPolls::Answer& answer);
  pg::Outcome<pg::Rows> run(const pg::Query& query, const pg::Params& params);
  void report(const pg::Failure& failure);

  const Options options_;
  const Clock& clock_;
  QueryStats stats_;
  pg::Interrupt interrupt_;
  std::thread thread_;

  // Guards these, and with them the order of settlements and polls that start over. listener_ is
  // set while the thread runs, which reads it without the lock.
  std::mutex mutex_;
  ChangeListener* listener_ = nullptr;
  SettledWrites settled_;

  // Of the feed's thread.
  std::vector<std::string> held_again_;  // until the next poll
  pg::DirectConnection connection_;
  PostgresPolls polls_;
  PostgresRegistry registry_;
  std::optional<BootTime> unacknowledged_;  // when the last refresh was sent, until the next poll
  BootTime next_mark_ = BootTime::min();
  bool purging_ = false;
  bool troubled_ = false;
};

}  // namespace um
