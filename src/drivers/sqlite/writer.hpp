// Writer: the one thread that writes to a database, with group commit.
//
// It takes the jobs that wait in its queue, executes each in a savepoint of its own inside one
// transaction, commits, and only then completes all of them. So many small writes share one sync of
// the disk, and a write that fails does not undo its neighbours. While another connection holds the
// write lock, jobs stay in the queue, where their deadlines apply; a job that was begun gets its
// real outcome, however long that takes.
//
// When a group fails as a whole (disk full) it is rolled back and each job tried alone, so that one
// large write does not refuse the small ones around it. After an I/O error the connection is opened
// anew. While the files are not where they were opened, nothing is read or written.
//
// Thread safety: run() from any thread. The observer is called on the thread of the writer only.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "base/database_times.hpp"
#include "drivers/sqlite/connection.hpp"
#include "drivers/sqlite/database_file.hpp"
#include "drivers/sqlite/job_queue.hpp"

namespace um::sqlite {

// Hears of every step of every transaction. A SqliteError that it throws counts as a failure of the
// database; it throws nothing else.
class WriteObserver {
 public:
  virtual ~WriteObserver() = default;
  // A connection was opened, opened again after a failure, or its files are back in their place.
  virtual void opened(Connection& db) = 0;
  // BEGIN IMMEDIATE succeeded; nothing was executed yet. From here to the end of the transaction
  // no other connection can commit.
  virtual void begun(Connection& db) = 0;
  // Everything was executed, COMMIT follows. `keys`: the keys that were touched, each once.
  virtual void committing(Connection& db, std::span<const std::string> keys) = 0;
  // Exactly one of these follows a committing() that did not throw, before any job is completed.
  virtual void committed(std::span<const std::string> keys) = 0;
  virtual void rolled_back(std::span<const std::string> keys) = 0;
  virtual void outcome_unknown(std::span<const std::string> keys) = 0;
  // Every tick interval, outside a transaction.
  virtual void tick(Connection& db) = 0;
  // The same while a long job holds the transaction open.
  virtual void tick_in_transaction() = 0;
};

// The view that a write job has of the transaction that it shares with its neighbours.
//
// Thread safety: the thread of the writer only, and not after the job returned.
class Transaction {
 public:
  Transaction(Connection& db, std::function<void()> pulse) : db_{db}, pulse_{std::move(pulse)} {}

  Connection& db() { return db_; }

  // Names something that this job changes; the observer hears of it if the changes are kept.
  void touch(std::string key) { touched_.push_back(std::move(key)); }

  // A job that takes longer than some milliseconds calls it now and then.
  void pulse() { pulse_(); }

  // Undoes the changes of the job although it succeeds (a rehearsal).
  void discard() { discard_ = true; }

 private:
  friend class Writer;

  Connection& db_;
  std::function<void()> pulse_;
  std::vector<std::string> touched_;
  bool discard_ = false;
};

class Writer {
 public:
  struct Options {
    Connection::Options connection{};  // busy_timeout 0: the writer waits by itself
    std::size_t queue_capacity = 1024;
    std::size_t max_group = 256;  // larger: fewer syncs under load, longer waits inside a group
    std::chrono::nanoseconds tick_interval = kPollInterval;
    const Clock* clock;  // these two outlive the writer
    WriteObserver* observer;
    std::function<void(Deadline)> on_deadline{};
    std::function<void(std::string_view)> log{};  // one line when a trouble begins or ends
  };
  struct Stats {
    std::uint64_t commits = 0;
    std::uint64_t writes = 0;
  };

  // Opens the connection; throws SqliteError.
  explicit Writer(Options options);
  ~Writer() { stop(); }

  void start();
  // Refuses new jobs, finishes the accepted ones, ends the thread.
  void stop();

  // function: Result<T>(Transaction&), on the writer's thread. An error rolls back its changes. It
  // may be called more than once (see above) and keeps nothing from a call before; it owns all it
  // refers to.
  template <class T, class Function>
  Task<Result<T>> run(Deadline deadline, Function function) {
    using Work = FunctionJob<T, Function, WriteJob, Transaction>;
    auto job = std::make_shared<Work>(deadline, std::move(function));
    co_await submit(queue_, job);
    co_return std::move(job->result());
  }

  // The statements of the writer itself, for the statistics.
  static std::span<const Query* const> queries();

  // Makes the next tick happen now.
  void tick_soon();

  // Whether the files are where they were opened; checked in every tick and before every group.
  const OpenFiles& files() const { return files_; }

  // Whether the last try to write failed because of the surroundings (disk, lock, file).
  bool troubled() const { return troubled_.load(); }

  JobQueue& queue() { return queue_; }
  const JobQueue& queue() const { return queue_; }
  Stats stats() const { return {commits_.load(), writes_.load()}; }

 private:
  using Group = std::vector<std::shared_ptr<Job>>;
  enum class Outcome { committed, nothing_to_commit, rolled_back, unknown };

  void loop();
  void tick_if_due();
  void tick();
  void run_group();
  void wait_for_lock(const SqliteError& busy);
  void begin();  // throws SqliteError
  Outcome execute(const Group& group);
  bool execute_one(WriteJob& job, Transaction& transaction);
  Outcome commit();
  void roll_back();
  void retry_alone(const Group& group);
  void answer(const Group& group, Outcome outcome);
  void handle(const SqliteError& error);
  void complain(const std::string& about);
  void reopen_if_needed();
  void open();
  void use_files();  // throws SqliteError
  bool files_are_there();

  const Options options_;
  JobQueue queue_;
  std::atomic<std::uint64_t> commits_{0};
  std::atomic<std::uint64_t> writes_{0};
  std::atomic<bool> tick_now_{false};
  std::atomic<bool> troubled_{false};
  std::thread thread_;

  // Used by the writer's thread alone once it runs.
  std::unique_ptr<Connection> db_;
  OpenFiles files_;
  bool were_moved_ = false;
  bool reopen_ = false;
  BootTime next_tick_{};
  // of the transaction that is open
  std::vector<std::string> keys_;
  bool changed_ = false;
  Error failure_{};  // why it was rolled back
  // of a lock that another connection holds
  std::optional<BootTime> busy_since_{};
  std::chrono::milliseconds pause_{1};
  // The last lines of the log about the surroundings (empty: all is well) and about a bug.
  std::string trouble_{};
  std::string bug_{};
};

}  // namespace um::sqlite
