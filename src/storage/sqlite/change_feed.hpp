// SqliteChangeFeed: the ChangeFeed of a SQLite file that this process serves (docs/consistency.md,
// "SQLite"). It watches the writer: every commit of this process is announced around its COMMIT;
// commits of other connections are noticed by PRAGMA data_version and answered with a flush.
//
// Why hold() comes before COMMIT and not after: readers have connections of their own. The moment
// COMMIT is through, a read of the primary returns the new value. If memory still answered with the
// old one, two reads one after the other could see new, then old. So memory is silenced first;
// between hold and settle everybody asks the primary, where old ends and new begins in one instant.
//
// Why a fill cannot bring an old value back: a fact carries the number of commits that its own
// statement saw (xmax = that number + 1) and the namespace τ from before the statement began.
// settle(keys, xid) makes the cache demand facts that see xid; an older fill does not. Foreign
// commits have no number of ours, so they change τ: facts begun before the change was noticed
// belong to another namespace. Reading τ after the statement would be wrong: the statement could
// have run before the change, and the stamp say otherwise.
//
// Why nothing foreign is missed: the number behind data_version changes exactly when another
// connection committed. It is compared every poll interval, and in every own transaction right
// after BEGIN IMMEDIATE, from when on nobody else can commit; so a compare-and-set never commits
// over a change that was not noticed, and a poll inside a long transaction may vouch for the
// present without asking again.
//
// Thread safety: start(), stop() and tau() from any thread; the rest on the writer's thread.
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
  // Called by start(), so that the first poll does not wait for its turn.
  void on_start(std::function<void()> poll_soon) { poll_soon_ = std::move(poll_soon); }

  // What a read must take before its statement begins.
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

  std::mutex
      listener_mutex_;  // held while the listener is called, so that stop() waits for the call
  ChangeListener* listener_ = nullptr;

  // of the writer's thread
  std::int64_t data_version_ = 0;
  Xid commits_ = 0;      // counted by the database, this process' last look
  Xid next_commit_ = 0;  // of the transaction that is open
  BootTime begun_at_{};  // when the open transaction compared data_version
  bool held_ = false;    // whether the listener was told to hold the keys of the open transaction
  bool opened_before_ = false;
};

}  // namespace um
