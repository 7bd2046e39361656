// Connection: one open SQLite database handle with its prepared statements.
//
// Thread safety: none; a connection belongs to one thread at a time.
// Errors: everything that can fail throws SqliteError.
//
//   auto run = db.run(kFindUser, id);          // bound in order, ?1 first
//   if (run.next()) use(run.integer(0), run.text(1));
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.hpp"
#include "base/deadline.hpp"
#include "base/query_stats.hpp"
#include "drivers/sqlite/error.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace um::sqlite {

// A named statement: statistics and logs call it by its name. Queries are constants with static
// storage: a statement is prepared once per connection and found again by the address of its Query.
struct Query {
  std::string_view name;
  std::string_view sql;
};

using QueryStats = um::QueryStats<Query>;

// A parameter that is stored as bytes, not as text.
struct Blob {
  std::string_view bytes;
};

// One execution of a prepared statement. It is reset and its parameters are forgotten at the end,
// so at most one Run of the same query lives at a time on a connection.
class Run {
 public:
  Run(sqlite3_stmt* statement, QueryStats::Counters* counters);
  template <class... Args>
  Run(sqlite3_stmt* statement, QueryStats::Counters* counters, const Args&... args)
    requires(sizeof...(Args) > 0)
      : Run{statement, counters} {
    int index = 0;
    (bind(++index, args), ...);
  }
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;
  ~Run();

  void bind(int index, std::int64_t value);
  void bind(int index, std::string_view value);
  void bind(int index, Blob value);
  void bind(int index, std::nullopt_t);
  template <class T>
  void bind(int index, const std::optional<T>& value) {
    value ? bind(index, *value) : bind(index, std::nullopt);
  }

  // Steps to the next row; false at the end.
  bool next();
  // Steps to the end and ignores rows.
  void finish();

  // Columns of the current row, counted from 0.
  std::int64_t integer(int column) const;
  std::string_view text(int column) const;  // valid until the next step
  bool null(int column) const;
  std::optional<std::string> optional_text(int column) const;

 private:
  sqlite3_stmt* statement_;
  QueryStats::Counters* counters_;
  BootTime started_;
  bool failed_ = false;
};

class Connection {
 public:
  enum class Mode { create, read_write, read_only };
  struct Options {
    std::filesystem::path file;
    Mode mode = Mode::create;
    // How long SQLite itself waits for a lock, blocking the thread.
    std::chrono::milliseconds busy_timeout{0};
    const char* vfs = nullptr;     // nullptr: the default one
    QueryStats* stats = nullptr;   // outlives the connection
    const Clock* clock = nullptr;  // for limit(); outlives the connection
  };

  explicit Connection(const Options& options);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  template <class... Args>
  Run run(const Query& query, const Args&... args) {
    const Prepared& entry = prepared(query);
    return Run{entry.statement.get(), entry.counters, args...};
  }

  // Statements without parameters, for set-up and transactions; not cached, not counted.
  void execute(const char* sql);
  std::int64_t integer(const char* sql);
  std::string text(const char* sql);

  // Rows that were inserted, changed or deleted on this connection so far.
  std::int64_t total_changes() const;
  std::int64_t last_insert_rowid() const;
  // Whether BEGIN was executed and neither COMMIT nor a rollback, SQLite's own included, followed.
  bool in_transaction() const;

  // From now on a running statement is interrupted when `deadline` has passed.
  void limit(Deadline deadline) { deadline_ = deadline; }

  sqlite3* handle() const { return handle_.get(); }

 private:
  struct CloseHandle {
    void operator()(sqlite3* handle) const noexcept;
  };
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const noexcept;
  };
  struct Prepared {
    std::unique_ptr<sqlite3_stmt, Finalize> statement;
    QueryStats::Counters* counters = nullptr;
  };
  const Prepared& prepared(const Query& query);
  std::unique_ptr<sqlite3_stmt, Finalize> prepare(std::string_view sql, unsigned flags);
  static int check_deadline(void* self);

  std::unique_ptr<sqlite3, CloseHandle> handle_;
  std::unordered_map<const Query*, Prepared> statements_;  // closed before the handle
  QueryStats* stats_;
  const Clock* clock_;
  Deadline deadline_{};
};

}  // namespace um::sqlite
