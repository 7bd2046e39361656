// SqliteChangeFeed: the ChangeFeed of a SQLite file that this process serves (docs/consistency.md,
// "SQLite"). It observes the writer: every commit of this process is announced around its COMMIT.
// PRAGMA data_version reveals commits of other connections, and each of them causes a flush.
//
// Why hold() comes before COMMIT and not after it: readers have connections of their own. As soon
// as COMMIT has returned, a read of the primary returns the new value. If memory still returned the
// old one, two successive reads could see the new value and then the old one. So the keys are held
// first: between hold and settle every read asks the primary, which switches from old to new at one
// instant.
//
// Why a fill cannot bring an old value back: a fact carries the number of commits that its own
// statement saw (xmax = that number + 1), and the namespace τ from before the statement began.
// After settle(keys, xid) the cache admits only facts that see xid, and an older fill does not.
// Commits of other programs have no number here, so they change τ: facts of statements that began
// before the change was noticed belong to the former namespace. Reading τ after the statement would
// be wrong: the statement could have run before the change, with a stamp that claims the opposite.
//
// Why no commit of another program is missed: the value of data_version changes exactly when
// another connection committed. It is compared every poll interval, and in every transaction of
// this process right after BEGIN IMMEDIATE, when no other connection can commit any more. So a
// compare-and-set never overwrites an unnoticed change, and a poll inside a long transaction needs
// no new comparison.
//
// Thread safety: start(), stop() and tau() from any thread; all other functions on the writer's
// thread.
#pragma once

#include <functional>
#include <mutex>

#include "base/clock.hpp"
#include "drivers/sqlite/writer.hpp"
#include "storage/change_feed.hpp"

namespace um {

class SqliteChangeFeed final : public ChangeFeed, public sqlite::WriteObserver {
 public:
  explicit SqliteChangeFeed(const Clock& clock);

  void start(ChangeListener& listener) override;
  void stop() override;
  // start() calls it, so the first poll comes at once.
  void on_start(std::function<void()> poll_soon) { poll_soon_ = std::move(poll_soon); }

  // A read must take it before its statement begins.
  Tau tau() const;

  void opened(sqlite::Connection& db) override;
  void begun(sqlite::Connection& db) override;
  void committing(sqlite::Connection& db, std::span<const std::string> keys) override;
  void committed(std::span<const std::string> keys) override;
  void rolled_back(std::span<const std::string> keys) override;
  void outcome_unknown(std::span<const std::string> keys) override;
  void tick(sqlite::Connection& db) override;
  void tick_in_transaction() override;

 private:
  void renew_tau();
  void settle(std::span<const std::string> keys, std::optional<Xid> xid);
  struct Report {
    BootTime sent_at;
    std::optional<std::string_view> flush_reason{};
  };
  void apply(Report report);

  const Clock& clock_;
  std::function<void()> poll_soon_;

  mutable std::mutex tau_mutex_;
  Tau tau_;  // guarded by tau_mutex_

  // Locked during calls of the listener, so stop() waits for their end.
  std::mutex listener_mutex_;
  ChangeListener* listener_ = nullptr;

  // Used on the writer's thread only.
  std::int64_t data_version_ = 0;
  Xid commits_ = 0;      // the database's counter when this process last read it
  Xid next_commit_ = 0;  // of the transaction that is open
  BootTime begun_at_{};  // when the open transaction compared data_version
  bool held_ = false;    // whether the listener holds the keys of the open transaction
  bool opened_before_ = false;
};

}  // namespace um
