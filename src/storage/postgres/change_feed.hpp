// PostgresChangeFeed: the ChangeFeed of a PostgreSQL database (docs/consistency.md, "The feed"). A
// thread with a direct connection to the primary joins the registry of instances, polls,
// acknowledges holds and refreshes its row, in the order that FeedSteps decides. It does nothing
// else: marks, purges and the reaper are housekeeping on ordinary connections, because none of them
// may delay a poll.
//
// FeedDelivery brings the polls, and this process' own writes, to the listener.
//
// A statement that waits for a lock or runs out of time is given up and sent again; the connection
// stays. Any other failure closes the connection, and the next one joins anew.
//
// Thread safety: any thread; before_commit/after_commit wait for no I/O.
#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/database_times.hpp"
#include "base/query_stats.hpp"
#include "drivers/pg/direct_connection.hpp"
#include "storage/change_feed.hpp"
#include "storage/postgres/feed_delivery.hpp"
#include "storage/postgres/feed_steps.hpp"
#include "storage/postgres/write_observer.hpp"

namespace um {

class PostgresChangeFeed final : public ChangeFeed, public PostgresWriteObserver {
 public:
  using ms = std::chrono::milliseconds;
  struct Options {
    Secret url{};
    const Clock* clock;  // outlives the feed
    CacheTimes times{};
    std::string instance_name{};  // for people
    std::string own_holds{};      // the beginning of the ids of this process' holds
    ms poll_interval = kPollInterval;
    PostgresPolls::Limits limits{};
    // Limit of one statement; a limit above the staleness bound makes no sense.
    ms statement_time{1000};
    ms lock_time{200};
    ms connect_time{3000};
    // All of these are called on the feed's thread.
    std::function<void(std::string_view)> log{};  // for people
    // The namespace is another one than at the last poll, or this is the first poll: namespaces
    // that other connections noted before are obsolete.
    std::function<void()> on_new_namespace{};
    std::function<void()> on_seen{};          // an instance has acknowledged holds
    std::function<void()> on_acknowledged{};  // this instance has
  };
  explicit PostgresChangeFeed(Options options);
  ~PostgresChangeFeed() override;

  void start(ChangeListener& listener) override;
  void stop() override;

  void before_commit(std::span<const std::string> keys) override;
  void after_commit(std::span<const std::string> keys, const WriteEnd& end) override;
  std::optional<StrictTerms> terms() const override;
  bool follows() const override;
  void note_company() override;

  // The ids of holds that this process knows since `then`, for the reaper.
  std::vector<std::string> holds_known_since(BootTime then) const;
  // The holds that the last poll showed.
  std::size_t holds_alive() const;

  using QueryStats = um::QueryStats<pg::Query>;
  const QueryStats& query_stats() const { return stats_; }

 private:
  using Step = FeedSteps::Step;
  void loop();
  bool connect();
  // A failure makes the connection useless.
  pg::Outcome<void> perform(const Step& step);
  pg::Outcome<void> join(const Step& step);
  pg::Outcome<void> poll(const Step& step);
  pg::Outcome<void> repair();
  pg::Outcome<void> acknowledge(const Step& step);
  pg::Outcome<void> refresh(const Step& step);
  pg::Outcome<void> leave(const Step& step);
  pg::Outcome<void> wait(const Step& step);
  void report_expulsion();
  void apply(PostgresPolls::Answer answer, const FeedSteps::Settings& settings);
  std::size_t hear();  // how many notifications there were
  void say_goodbye();
  void publish_terms();
  pg::Outcome<pg::Rows> run(const pg::Query& query, const pg::Params& params);
  void report(FeedSteps::Act act, const pg::Failure& failure);
  void report_loss(const pg::Failure& failure);

  const Options options_;
  const Clock& clock_;
  QueryStats stats_;
  pg::Interrupt interrupt_;
  std::thread thread_;

  // Guards the members up to the blank line, and the order of settlements and polls that flush.
  mutable std::mutex mutex_;
  std::optional<StrictTerms> terms_;
  FeedSteps steps_;  // changed by the feed's thread only, under the lock where others read it
  FeedDelivery delivery_;

  // Of the feed's thread.
  pg::DirectConnection connection_;
  std::string server_;  // the constant part of the namespace of this connection
  std::int64_t process_ = 0;
  std::set<FeedSteps::Act> failing_;  // what was reported, and has not succeeded since
  std::jthread sweeper_;  // frees what a flush removed: that may take longer than a lease lasts
};

}  // namespace um
