// BlockingConnection: one blocking connection, for start-up, the command line and tests. It runs
// scripts of many statements, and single statements with parameters. The service itself uses
// drivers/pg/.
//
// Thread safety: none. Every failure throws PostgresError.
#pragma once

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/secret.hpp"
#include "drivers/pg/failure.hpp"
#include "drivers/pg/query.hpp"
#include "drivers/pg/rows.hpp"

struct pg_conn;  // libpq's PGconn

namespace um {

class PostgresError : public std::runtime_error {
 public:
  explicit PostgresError(pg::Failure failure);
  const pg::Failure& failure() const { return failure_; }

 private:
  pg::Failure failure_;
};

class BlockingConnection {
 public:
  struct Options {
    Secret url;  // libpq's: postgresql://… or key=value
    std::string application_name = "user-manager";
  };
  explicit BlockingConnection(const Options& options);

  // Any number of statements, separated by semicolons. A transaction that BEGIN opened stays open.
  void execute(const std::string& script);
  // One statement with $1, $2, …; every column is returned as text.
  pg::Rows run(const std::string& statement, const pg::Params& params = {});
  // The first column of the first row; throws if there is none, or if it is null.
  std::string text(const std::string& statement, const pg::Params& params = {});
  std::int64_t integer(const std::string& statement, const pg::Params& params = {});

  // The server and database, without user and password: "db.example.com:5432/users".
  std::string describe() const;

 private:
  struct Close {
    void operator()(pg_conn* connection) const;
  };
  std::unique_ptr<pg_conn, Close> connection_;
};

}  // namespace um
