// What the commands need of the composition root, as functions, so that they are tested without it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "cli/io.hpp"
#include "config/config.hpp"
#include "storage/storage.hpp"

namespace um {

// What `user-manager migrate` is asked to do.
struct MigrateRequest {
  bool dry_run = false;     // change nothing, only say what would be done
  bool quarantine = false;  // move rows that the new schema cannot take into a table of their own
};

struct ServeRequest {
  bool migrate = false;  // PostgreSQL: bring the schema up to date first (SQLite always is)
};

// A row of an adopted database that the schema cannot take.
struct RefusedRow {
  std::optional<std::string> row{};    // its id, as text; nullopt: null
  std::optional<std::string> email{};  // as stored; may be anything
  std::string reason;                  // "the e-mail address is empty"
};

// What was done, or with dry_run or with rows that do not fit, what is still to be done.
struct MigrateReport {
  std::vector<std::string> migrations{};  // "0001_initial"
  std::vector<std::string> settings{};    // of the deployment: "staleness-bound: 500 ms -> 300 ms"
  std::int64_t adopted_users = 0;         // of a database made by another program
  std::vector<RefusedRow> refused{};      // with quarantine: moved; otherwise nothing was changed
};

struct CliBackend {
  // Opens beside a running server. The error's detail is one line that says what to do.
  std::function<Result<std::unique_ptr<Storage>>(const Config&)> open_storage;
  // Runs until it is told to stop; the exit code.
  std::function<int(const Config&, ServeRequest, CliIo&)> serve;
  std::function<Result<MigrateReport>(const Config&, MigrateRequest)> migrate;
  // A consistent copy of the running database; refuses an existing file.
  std::function<Result<void>(const Config&, const std::string& file)> backup;
};

}  // namespace um
