// PostgresDatabase: the client that the PostgreSQL stores share, and the connection between their
// writes and the feed.
//
//   look_up         reads one row by a key       find   the same, as a fact for the cache
//   scan            reads many rows
//   write_strictly  changes cached rows; strict on all instances (strict_writes.hpp)
//   write           a transaction that changes cached rows; bounded on the other instances
//   change          one statement that changes nothing that is cached
//
// Thread safety: any thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include "async/backoff.hpp"
#include "drivers/pg/client.hpp"
#include "storage/cache_key.hpp"
#include "storage/postgres/lost_commit.hpp"
#include "storage/postgres/rows.hpp"
#include "storage/postgres/storage.hpp"
#include "storage/postgres/strict_writes.hpp"
#include "storage/postgres/write_observer.hpp"
#include "storage/reading.hpp"
#include "storage/rules.hpp"

namespace um {

// Maps a failure of PostgreSQL to an error of the stores. drivers/pg/failure.hpp maps SQLSTATEs to
// kinds of failures; the names of constraints are known only here. email_taken, username_taken and
// conflict by the constraint; invalid for values that the schema refuses; unavailable (with
// retry_after), timeout, overloaded and unknown_outcome by the kind of the failure;
// internal for all others.
Error postgres_error(const pg::Failure& failure);
// Asks the server once.
Task<TransactionFate> look_at_fate(pg::Client& client, Xid xid, std::string name_space,
                                   Deadline deadline);
// How long the outcome of a write is asked for: beyond the deadline of the write, if need be.
Deadline patience_for_outcome(Deadline deadline, std::chrono::nanoseconds patience);

// migrate has changed the times or the mode with which this process runs.
Error outdated_deployment();
// The connection was lost, and whether the change was made is not known.
inline Error unknown_outcome() {
  return postgres_error({.kind = pg::Failure::unknown_outcome});
}

// One attempt at a write. The function that makes the attempt runs statements, names the cache keys
// that it touches, and says under which transaction id. The keys are announced before COMMIT is
// sent.
//
// Thread safety: for the one coroutine that writes.
class PostgresWrite {
 public:
  explicit PostgresWrite(pg::Transaction& transaction) : transaction_{transaction} {}

  // After an error no more statements can run in this transaction.
  Task<Result<pg::Rows>> run(const pg::Query& query, pg::Params params = {});
  Task<Result<std::vector<pg::Rows>>> run_all(std::vector<pg::Statement> statements);
  void touch(std::string key) { keys_.insert(std::move(key)); }
  void touch(const CacheKey& key) { touch(key.str()); }
  void touch(const User& user) {
    touch(CacheKey::of(user.id));
    touch(CacheKey::of(user.email));
  }
  // The cell holds the result of pg_current_xact_id(). REQUIRES: called by every write that changed
  // something.
  void is_transaction(const pg::Rows& rows, Cell at);

 private:
  friend class PostgresDatabase;
  pg::Transaction& transaction_;
  std::set<std::string> keys_;
  std::optional<Xid> xid_;
  pg::Rows::Note note_;
};

class PostgresDatabase {
 public:
  // The schema is already there. Throws std::invalid_argument if the URL is unusable. `observer`
  // outlives the database.
  PostgresDatabase(const PostgresOptions& options, PostgresWriteObserver& observer,
                   PostgresStrictWrites::Options strict = {});
  ~PostgresDatabase() { client_.stop(); }

  Task<Result<pg::Rows>> look_up(const pg::Query& query, pg::Params params, Deadline deadline);
  Task<Result<pg::Rows>> scan(const pg::Query& query, pg::Params params, Deadline deadline);
  Task<Result<pg::Rows>> change(const pg::Query& query, pg::Params params, Deadline deadline);

  // `work` is a coroutine function of PostgresWrite& that returns Task<Result<T>>; an error rolls
  // everything back. It may be called again (after a deadlock) and must keep nothing from the first
  // call.
  template <class T, class Work>
  Task<Result<T>> write(Deadline deadline, Work work);

  // One attempt at a strict write.
  template <class T>
  struct CachedChange {
    std::optional<Result<T>> unchanged{};  // the answer, if nothing has to be written
    std::set<std::string> keys{};          // all cache keys that the statements touch
    std::vector<pg::Statement> statements{};
    std::function<Result<T>(const std::vector<pg::Rows>&)> read{};  // the answer from their rows
    // The answer if the change was surely committed but its rows were lost with the connection.
    std::function<Task<Result<T>>(Deadline)> recall{};
    // Whether the change was made, asked after its transaction has surely ended: the answer, or
    // nullopt if it was not made. An error: that cannot be seen.
    std::function<Task<Result<std::optional<Result<T>>>>(Deadline)> look{};
  };
  // `plan`: Task<Result<CachedChange<T>>>(int attempt), called again with 2, 3, … if the row had
  // changed since it was read. conflict: other changes were faster every time.
  template <class T, class Plan>
  Task<Result<T>> write_strictly(Deadline deadline, Plan plan);

  // A look-up with a result that can be cached. The query's first column is its snapshot. `read`
  // makes the value from the columns from 1 on, which are all null if there is no row.
  template <class Value, class Read>
  Task<Result<Reading<Value>>> find(const pg::Query& query, pg::Params params, Deadline deadline,
                                    Read read);

  // Connections noted a namespace that has ended: replaces them.
  void renew() { client_.renew(); }

  const Clock& clock() const { return clock_; }
  // The stores count here what only they know.
  StorageNumbers<Counter>& counters() { return counters_; }
  StorageStats stats() const;
  PostgresStrictWrites& strict_writes() { return strict_; }

 private:
  // One write between before_commit() and after_commit().
  class Announcement;
  static Backoff between_attempts();
  // The outcome of a write is worth some more time.
  Deadline after_loss(Deadline deadline) const {
    return {std::max(deadline.at, BootClock::now() + outcome_patience_)};
  }

  // After a lost connection a commit may be visible that a standby has not confirmed. True: one
  // that came later was confirmed.
  Task<bool> confirm_commits(Deadline deadline);
  // Before another attempt at a change; false if there is no time or no attempt left.
  Task<bool> pause_before(int attempt, Backoff& backoff, Deadline deadline);
  // running stands for unknown, too.
  Task<TransactionFate> fate_of(Xid xid, pg::Rows::Note note, Deadline deadline);
  Stamp stamp_of(const pg::Rows& rows) const;

  const Clock& clock_;
  const PostgresOptions::ms outcome_patience_;
  PostgresWriteObserver& observer_;
  StorageNumbers<Counter> counters_;
  pg::Client client_;
  PostgresStrictWrites strict_;
};

class PostgresDatabase::Announcement {
 public:
  explicit Announcement(PostgresWriteObserver& observer) : observer_{observer} {}
  Announcement(const Announcement&) = delete;
  Announcement& operator=(const Announcement&) = delete;
  // A coroutine that was destroyed does not know whether its transaction was committed. It passes
  // the id on, so no value that does not see the transaction is admitted afterwards.
  ~Announcement() { end(xid_); }

  void begin(PostgresWrite& write);
  // `xid`: the transaction was committed under it, or may have been. nullopt: surely not committed.
  void end(std::optional<Xid> xid);
  std::optional<Xid> xid() const { return xid_; }
  const pg::Rows::Note& note() const { return note_; }

 private:
  PostgresWriteObserver& observer_;
  std::vector<std::string> keys_;
  std::optional<Xid> xid_;
  pg::Rows::Note note_;
  bool open_ = false;
};

template <class T, class Work>
Task<Result<T>> PostgresDatabase::write(Deadline deadline, Work work) {
  counters_.writes.add();
  if (const auto terms = observer_.terms(); terms && terms->outdated)
    co_return fail(outdated_deployment());
  Announcement announcement{observer_};
  std::optional<Result<T>> made;
  const auto attempt = [&](pg::Transaction& transaction) -> Task<Result<T>> {
    announcement.end(std::nullopt);  // a former attempt was surely not committed
    made.reset();
    PostgresWrite write{transaction};
    Result<T> result = co_await work(write);
    if (result) {
      announcement.begin(write);
      made = result;
    }
    co_return result;
  };
  const pg::Outcome<Result<T>> outcome = co_await client_.transaction<Result<T>>(deadline, attempt);
  if (outcome) {
    const bool committed = outcome->has_value();
    if (committed && announcement.xid()) counters_.commits.add();
    announcement.end(committed ? announcement.xid() : std::nullopt);
    co_return *outcome;
  }
  if (outcome.error().kind == pg::Failure::not_replicated) {
    announcement.end(announcement.xid());
    co_return std::unexpected(postgres_error(outcome.error()));
  }
  if (outcome.error().kind != pg::Failure::unknown_outcome || !made) {
    announcement.end(std::nullopt);
    co_return std::unexpected(postgres_error(outcome.error()));
  }
  auto fate = TransactionFate::committed;  // a transaction that changed nothing
  if (const auto xid = announcement.xid())
    fate = co_await fate_of(*xid, announcement.note(), deadline);
  announcement.end(fate == TransactionFate::not_committed ? std::nullopt : announcement.xid());
  if (fate == TransactionFate::committed) {
    const bool kept = co_await confirm_commits(after_loss(deadline));
    if (kept) co_return std::move(*made);
  }
  if (fate == TransactionFate::not_committed)
    co_return std::unexpected(postgres_error({.kind = pg::Failure::lost}));
  co_return std::unexpected(postgres_error(outcome.error()));
}

template <class T, class Plan>
Task<Result<T>> PostgresDatabase::write_strictly(Deadline deadline, Plan plan) {
  counters_.writes.add();
  PostgresStrictWrites::Write write{strict_, deadline};
  Backoff backoff{between_attempts()};
  for (int attempt = 1;; ++attempt) {
    Result<CachedChange<T>> change = co_await plan(attempt);
    if (!change) co_return std::unexpected(change.error());
    if (change->unchanged) co_return std::move(*change->unchanged);
    auto made = co_await write.commit(std::move(change->keys), std::move(change->statements));
    if (!made) co_return std::unexpected(made.error());
    using End = PostgresStrictWrites::Write::Attempt::End;
    if (made->end == End::plan_again) {
      const bool again = co_await pause_before(attempt, backoff, deadline);
      if (!again) co_return fail(rules::changed_meanwhile());
      continue;
    }
    if (made->end == End::committed) {
      counters_.commits.add();
      co_return change->read(made->rows);
    }
    // The connection was lost: the answer is what the database shows, once it is sure to last.
    std::optional<Result<T>> answer;
    if (made->end == End::ended_unheard) {
      if (!change->look) co_return fail(unknown_outcome());
      Result<std::optional<Result<T>>> seen = co_await change->look(after_loss(deadline));
      if (!seen) co_return fail(unknown_outcome());
      if (!*seen) co_return fail(postgres_error({.kind = pg::Failure::lost}));
      answer = std::move(**seen);
    }
    const bool lasts = co_await confirm_commits(after_loss(deadline));
    if (!lasts) co_return fail(unknown_outcome());
    counters_.commits.add();
    if (answer) co_return std::move(*answer);
    if (!change->recall) co_return Result<T>{};
    Result<T> recalled = co_await change->recall(after_loss(deadline));
    co_return recalled;
  }
}

template <class Value, class Read>
Task<Result<Reading<Value>>> PostgresDatabase::find(const pg::Query& query, pg::Params params,
                                                    Deadline deadline, Read read) {
  const auto rows = co_await look_up(query, std::move(params), deadline);
  if (!rows) co_return std::unexpected(rows.error());
  Reading<Value> reading;
  reading.stamp = stamp_of(*rows);
  if (!rows->null(0, 1)) {
    auto value = read(*rows, Cell{.row = 0, .column = 1});
    if (!value) co_return std::unexpected(value.error());
    reading.value = std::move(*value);
  }
  co_return reading;
}

}  // namespace um
