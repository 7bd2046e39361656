// open_postgres: opens a PostgreSQL database with its stores.
//
// Thread safety: as storage.hpp says. The storage outlives everything that uses its stores. The
// event loops in PostgresOptions::loops run until the storage is destroyed, or have stopped for
// good.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/database_times.hpp"
#include "base/error.hpp"
#include "base/secret.hpp"
#include "storage/change_feed.hpp"
#include "storage/storage.hpp"

namespace boost::asio {
class io_context;
}

namespace um {

struct PostgresOptions {
  using ms = std::chrono::milliseconds;

  Secret url;          // as in drivers/pg/options.hpp; may contain a password
  const Clock* clock;  // outlives the storage
  // Each loop is run by one thread and gets connections of its own. None: the storage runs a loop
  // itself.
  std::vector<boost::asio::io_context*> loops{};

  // Apply pending migrations. Off: a schema that is not the newest is an error.
  bool migrate = false;

  // Per loop. Look-ups are pipelined; a write needs a connection for itself.
  std::size_t look_up_connections = 4;
  std::size_t write_connections = 4;
  std::size_t scan_connections =
      1;  // search, list, count: separate, so look-ups never wait for them

  // Limits that the server enforces, whatever the deadline of a call.
  ms look_up_timeout = kLookUpTime;
  ms statement_timeout{2000};
  // P of docs/consistency.md: how often the feed asks for the changes of others.
  ms poll_interval = kPollInterval;
  // The mode and the times with which this process runs; those of the deployment (see
  // read_deployment()). An instance whose deployment changes them refuses writes.
  CacheTimes times{};
  // In the registry of instances, for people.
  std::string instance_name{};

  // How long the database is asked for the outcome of a transaction if the connection was lost
  // during COMMIT; beyond the deadline of the call if need be.
  ms outcome_patience{1000};

  // Receives one line when trouble with the database begins and one when it ends; called from any
  // thread. May be empty.
  std::function<void(std::string_view)> log{};
};

// invalid: the URL is unusable, or the schema is not the newest (and `migrate` is off), newer than
// this program knows, or was changed. unavailable: the database cannot be reached, or is a standby.
// conflict: see migrator.hpp. The detail is one clear line without credentials.
Result<std::unique_ptr<Storage>> open_postgres(PostgresOptions options);

}  // namespace um
