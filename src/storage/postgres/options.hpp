// How a PostgreSQL database is opened.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/secret.hpp"

namespace boost::asio {
class io_context;
}

namespace um {

struct PostgresOptions {
  using ms = std::chrono::milliseconds;

  Secret url;          // as in drivers/pg/options.hpp; may hold a password
  const Clock* clock;  // outlives the storage
  // Each is run by one thread and has connections of its own; none: the storage runs one itself.
  std::vector<boost::asio::io_context*> loops{};

  // Apply pending migrations. Off: a schema that is not the newest is an error.
  bool migrate = false;

  // Per loop. Look-ups are pipelined; a write has a connection for itself.
  std::size_t look_up_connections = 4;
  std::size_t write_connections = 4;
  std::size_t scan_connections = 1;  // search, list, count: never before look-ups

  // Bounds kept by the server, whatever the deadline of a call.
  ms look_up_timeout{500};
  ms statement_timeout{2000};
  // P of docs/consistency.md: how often the changes of others are asked for.
  ms poll_interval{75};

  // After a connection was lost during a commit: for so long the database is asked what became of
  // the transaction, beyond the deadline of the call if need be.
  ms outcome_patience{1000};

  // Gets one line when a trouble with the database begins and when it ends; from any thread. May be
  // empty.
  std::function<void(std::string_view)> log{};
};

}  // namespace um
