// PostgresDatabase: the client that the PostgreSQL stores share, and the connection between their
// writes and the feed.
//
//   look_up  reads one row by a key       find   the same, as a fact for the cache
//   scan     reads many rows
//   write    a transaction that changes cached rows
//   change   one statement that changes nothing that is cached
//
// Thread safety: any thread.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include "drivers/pg/client.hpp"
#include "storage/cache_key.hpp"
#include "storage/postgres/rows.hpp"
#include "storage/postgres/storage.hpp"
#include "storage/reading.hpp"

namespace um {

// Maps a failure of PostgreSQL to an error of the stores. drivers/pg/failure.hpp maps SQLSTATEs to
// kinds of failures; the names of constraints are known only here. email_taken, username_taken and
// conflict by the constraint; invalid for values that the schema refuses; unavailable (with
// retry_after), timeout, overloaded and unknown_outcome by the kind of the failure;
// internal for all others.
Error postgres_error(const pg::Failure& failure);

// Receives this process' own writes, around their COMMIT.
//
// Thread safety: any thread; calls do not block.
class PostgresWriteObserver {
 public:
  virtual ~PostgresWriteObserver() = default;
  // Before COMMIT is sent: the cache keys that the transaction touched.
  virtual void before_commit(std::span<const std::string> keys) = 0;
  // Once for each before_commit(), before the writer is answered. `xid`: the transaction was
  // committed under it, or may have been. nullopt: it was surely not committed.
  virtual void after_commit(std::span<const std::string> keys, std::optional<Xid> xid) = 0;
};

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
  PostgresDatabase(const PostgresOptions& options, PostgresWriteObserver& observer);
  ~PostgresDatabase() { client_.stop(); }

  Task<Result<pg::Rows>> look_up(const pg::Query& query, pg::Params params, Deadline deadline);
  Task<Result<pg::Rows>> scan(const pg::Query& query, pg::Params params, Deadline deadline);
  Task<Result<pg::Rows>> change(const pg::Query& query, pg::Params params, Deadline deadline);

  // `work` is a coroutine function of PostgresWrite& that returns Task<Result<T>>; an error rolls
  // everything back. It may be called again (after a deadlock) and must keep nothing from the first
  // call.
  template <class T, class Work>
  Task<Result<T>> write(Deadline deadline, Work work);

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

 private:
  // One write between before_commit() and after_commit().
  class Announcement;
  enum class Fate { committed, not_committed, unknown };

  Task<Fate> fate_of(std::string xid, pg::Rows::Note note, Deadline deadline);
  Stamp stamp_of(const pg::Rows& rows) const;

  const Clock& clock_;
  const PostgresOptions::ms outcome_patience_;
  PostgresWriteObserver& observer_;
  StorageNumbers<Counter> counters_;
  pg::Client client_;
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
  if (outcome.error().kind != pg::Failure::unknown_outcome || !made) {
    announcement.end(std::nullopt);
    co_return std::unexpected(postgres_error(outcome.error()));
  }
  Fate fate = Fate::committed;  // a transaction that changed nothing
  if (const auto xid = announcement.xid()) {
    fate = co_await fate_of(std::to_string(*xid), announcement.note(), deadline);
  }
  announcement.end(fate == Fate::not_committed ? std::nullopt : announcement.xid());
  switch (fate) {
    case Fate::committed:
      co_return std::move(*made);
    case Fate::not_committed:
      co_return std::unexpected(postgres_error({.kind = pg::Failure::lost}));
    case Fate::unknown:
      break;
  }
  co_return std::unexpected(postgres_error(outcome.error()));
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
