// PostgresChangeFeed: the ChangeFeed of a PostgreSQL database (docs/consistency.md, "The feed"). A
// thread with a direct connection to the primary asks for changes once in every poll interval.
//
// The same thread keeps this instance in the registry of instances. The lease depends on
// acknowledged refreshes, so other instances may delete an instance that was silent for long. An
// instance registers before it polls: with a lease from an earlier poll it would answer from memory
// although no writer waits for it.
//
// Own writes. before_commit() and after_commit() pass on hold and settle. One case needs more: a
// poll that flushes throws the cache's log away. A write that settled after that poll was sent is
// not in the poll's snapshot, so its log entry would be lost. The keys of such writes are held
// again before the poll is applied, until a later poll has brought their changes.
//
// Every minute a mark is written: a snapshot that newly started instances reach back to. Rows of
// user_changes that the oldest stored mark sees are deleted in small batches.
//
// Thread safety: any thread; before_commit/after_commit wait for no I/O.
#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/database_times.hpp"
#include "base/query_stats.hpp"
#include "drivers/pg/direct_connection.hpp"
#include "storage/change_feed.hpp"
#include "storage/postgres/database.hpp"
#include "storage/postgres/polls.hpp"
#include "storage/postgres/registry.hpp"

namespace um {

class PostgresChangeFeed final : public ChangeFeed, public PostgresWriteObserver {
 public:
  using ms = std::chrono::milliseconds;
  struct Options {
    Secret url{};
    const Clock* clock;  // outlives the feed
    ms poll_interval = kPollInterval;
    PostgresPolls::Limits limits{};
    // Limit of one statement; a limit above the staleness bound makes no sense.
    ms statement_time{1000};
    ms connect_time{3000};
    std::chrono::seconds mark_every{60};
    std::function<void(std::string_view)> log{};  // for people; called on the feed's thread
    // The namespace is another one than at the last poll, or this is the first poll: namespaces
    // that other connections noted before are obsolete. Called on the feed's thread.
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
  // A poll, and the other statements that are due. A failure makes the connection useless.
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

  // Guards the next two members, and the order of settlements and polls that flush. The feed's
  // thread reads listener_ without the lock: it is set before the thread starts.
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
