// PostgresDatabase: what the PostgreSQL stores share: the client, and the coupling of their writes
// to the feed.
//
//   look_up  one row by a key        find   the same as a fact for the cache
//   scan     anything that reads many rows
//   write    a transaction whose changes caches have to hear of
//   change   one statement that changes nothing that is cached
//
// Thread safety: any thread.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "drivers/pg/client.hpp"
#include "storage/postgres/errors.hpp"
#include "storage/postgres/options.hpp"
#include "storage/postgres/rows.hpp"
#include "storage/postgres/snapshot.hpp"
#include "storage/postgres/write_observer.hpp"
#include "storage/reading.hpp"
#include "storage/storage.hpp"

namespace um {

// One attempt at a write. The function that does it runs statements, names the cache keys that it
// touches and says under which transaction id; what it touched is announced before COMMIT is sent.
//
// Thread safety: of the one coroutine that writes.
class PostgresWrite {
 public:
  explicit PostgresWrite(pg::Transaction& transaction) : transaction_{transaction} {}

  // After an error nothing more can be done in this transaction.
  Task<Result<pg::Rows>> run(const pg::Query& query, pg::Params params = {});
  Task<Result<std::vector<pg::Rows>>> run_all(std::vector<pg::Statement> statements);
  void touch(std::string key) { keys_.insert(std::move(key)); }
  // What pg_current_xact_id() returned. REQUIRES: said by every write that changed something.
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

  // `work` is a coroutine function of PostgresWrite& that returns Task<Result<T>>: an error rolls
  // everything back. It may be called again (after a deadlock) and keeps nothing from before.
  template <class T, class Work>
  Task<Result<T>> write(Deadline deadline, Work work);

  // A look-up whose answer can be cached. The query's first column is its snapshot; `read` makes
  // the value of the row, which begins at column 1 and whose columns are all null if there is none.
  template <class Value, class Read>
  Task<Result<Reading<Value>>> find(const pg::Query& query, pg::Params params, Deadline deadline,
                                    Read read);

  // The namespace that its connections took for theirs is over.
  void renew() { client_.renew(); }

  const Clock& clock() const { return clock_; }
  // Callers answered by one transaction besides the one that is counted anyway.
  void count_writes(std::size_t callers) { writes_.fetch_add(callers, std::memory_order_relaxed); }
  StorageStats stats() const;

 private:
  // What was announced of one write, from before_commit() to after_commit().
  class Announcement;
  enum class Fate { committed, not_committed, unknown };

  Task<Fate> fate_of(std::string xid, pg::Rows::Note note, Deadline deadline);
  Stamp stamp_of(const pg::Rows& rows) const;

  const Clock& clock_;
  const PostgresOptions::ms outcome_patience_;
  PostgresWriteObserver& observer_;
  std::atomic<std::uint64_t> commits_{0};
  std::atomic<std::uint64_t> writes_{0};
  pg::Client client_;
};

class PostgresDatabase::Announcement {
 public:
  explicit Announcement(PostgresWriteObserver& observer) : observer_{observer} {}
  Announcement(const Announcement&) = delete;
  Announcement& operator=(const Announcement&) = delete;
  // Whoever did not learn what became of the commit (a coroutine that was dropped) leaves the id
  // behind: until that transaction is visible or gone, no older value may come back.
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
  writes_.fetch_add(1, std::memory_order_relaxed);
  Announcement announcement{observer_};
  std::optional<Result<T>> made;
  const auto attempt = [&](pg::Transaction& transaction) -> Task<Result<T>> {
    announcement.end(std::nullopt);  // of an attempt that was surely not committed
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
    if (committed && announcement.xid()) commits_.fetch_add(1, std::memory_order_relaxed);
    announcement.end(committed ? announcement.xid() : std::nullopt);
    co_return *outcome;
  }
  if (outcome.error().kind != pg::Failure::unknown_outcome || !made) {
    announcement.end(std::nullopt);
    co_return std::unexpected(postgres_error(outcome.error()));
  }
  Fate fate = Fate::committed;  // of one that changed nothing
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
