// CliIo and CliBackend: the interfaces between commands and their surroundings. CliIo: streams,
// environment, terminal, signals. CliBackend: functions of the composition root.
// Tests put their own in the place of both. Thread safety: one command at a time.
#pragma once

#include <functional>
#include <iosfwd>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/secret.hpp"
#include "config/config.hpp"
#include "storage/storage.hpp"

namespace um {

// While it lives, Ctrl-C and SIGTERM do not end the process but are remembered.
class Interrupts {
 public:
  virtual ~Interrupts() = default;
  virtual bool requested() = 0;
};

struct CliIo {
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
  const Clock& clock;
  std::map<std::string, std::string> environment{};
  bool in_is_terminal = false;
  bool err_is_terminal = false;
  // Asks on the terminal without echo; nullopt: there is no terminal, or nothing was typed.
  std::function<std::optional<Secret>(std::string_view prompt)> ask_secret{};
  // To be called before any thread is made: threads inherit the signals that it blocks.
  std::function<std::unique_ptr<Interrupts>()> watch_interrupts{};
};

// The options of `user-manager migrate`.
struct MigrateRequest {
  bool dry_run = false;     // change nothing, only report the changes that would be made
  bool quarantine = false;  // move rows that do not fit the new schema into a table of their own
};

struct ServeRequest {
  bool migrate = false;  // PostgreSQL: bring the schema up to date first (SQLite always is)
};

// A row of an adopted database that does not fit the schema.
struct RefusedRow {
  std::optional<std::string> row{};    // its id, as text; nullopt: null
  std::optional<std::string> email{};  // as stored; may be anything
  std::string reason;                  // "the e-mail address is empty"
};

// The changes that were made; with dry_run, or with rows that do not fit, those still to be made.
struct MigrateReport {
  std::vector<std::string> migrations{};  // "0001_initial"
  std::vector<std::string> settings{};    // of the deployment: "staleness-bound: 500 ms -> 300 ms"
  std::int64_t adopted_users = 0;         // of a database made by another program
  std::vector<RefusedRow> refused{};      // with quarantine: moved; otherwise nothing was changed
};

struct CliBackend {
  // Opens beside a running server. The error's detail is one line that names the remedy.
  std::function<Result<std::unique_ptr<Storage>>(const Config&)> open_storage;
  // Runs until it is told to stop; the exit code.
  std::function<int(const Config&, ServeRequest, CliIo&)> serve;
  std::function<Result<MigrateReport>(const Config&, MigrateRequest)> migrate;
  // A consistent copy of the running database; refuses an existing file.
  std::function<Result<void>(const Config&, const std::string& file)> backup;
};

}  // namespace um
