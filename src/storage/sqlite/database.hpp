// SqliteDatabase: the writer, the two pools of readers and the feed that the SQLite stores share.
//
//   look_up  reads a row by a key, or a few by an index      scan  reads many rows
//   write    in a group commit
//
// Each takes a deadline and a function that runs on a database thread and owns what it refers to.
// Thread safety: any thread. The destructor finishes accepted calls.
#pragma once

#include <vector>

#include "drivers/sqlite/job_queue.hpp"
#include "drivers/sqlite/reader_pool.hpp"
#include "drivers/sqlite/writer.hpp"
#include "storage/reading.hpp"
#include "storage/sqlite/change_feed.hpp"
#include "storage/sqlite/storage.hpp"

namespace um {

class SqliteDatabase {
 public:
  // The schema is already there. Throws sqlite::SqliteError.
  explicit SqliteDatabase(const SqliteOptions& options);
  ~SqliteDatabase();

  // Every statement that runs on its connections, the writer's own included.
  static std::vector<const sqlite::Query*> queries();

  template <class T, class Function>
  Task<Result<T>> look_up(Deadline deadline, Function function) {
    return look_ups_.run<T>(deadline, std::move(function));
  }
  template <class T, class Function>
  Task<Result<T>> scan(Deadline deadline, Function function) {
    return scans_.run<T>(deadline, std::move(function));
  }
  template <class T, class Function>
  Task<Result<T>> write(Deadline deadline, Function function) {
    return writer_.run<T>(deadline, std::move(function));
  }

  // A look-up with a result that can be cached. The query's first column is the number of commits.
  // `read` makes the value from the columns from 1 on, which are all null if there is no row.
  template <class Value, class Key, class Read>
  Task<Result<Reading<Value>>> find(const sqlite::Query& query, Key key, Deadline deadline,
                                    Read read) {
    return look_up<Reading<Value>>(
        deadline,
        [this, &query, key = std::move(key),
         read](sqlite::Connection& db) -> Result<Reading<Value>> {
          Reading<Value> reading;
          reading.stamp.tau = feed_.tau();  // before the statement begins
          auto run = db.run(query, key);
          if (!run.next()) return fail(ErrorCode::internal, "the commit counter is gone");
          reading.stamp.snapshot.xmax = static_cast<Xid>(run.integer(0)) + 1;
          if (!run.null(1)) reading.value = read(run, 1);
          return reading;
        });
  }

  bool troubled() const { return writer_.troubled(); }
  const Clock& clock() const { return clock_; }
  SqliteChangeFeed& feed() { return feed_; }
  // The stores count here what only they know.
  StorageNumbers<Counter>& counters() { return counters_; }
  StorageStats stats() const;

 private:
  const Clock& clock_;
  StorageNumbers<Counter> counters_;
  sqlite::QueryStats stats_;
  SqliteChangeFeed feed_;
  sqlite::DeadlineWatch watch_;
  sqlite::Writer writer_;
  sqlite::ReaderPool look_ups_;
  sqlite::ReaderPool scans_;
};

}  // namespace um
