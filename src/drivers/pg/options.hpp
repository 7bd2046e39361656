// Options: the configuration of a Client. Stats: its counters, over all of its loops.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/counters.hpp"
#include "base/database_times.hpp"
#include "base/secret.hpp"
#include "drivers/pg/query.hpp"

namespace um::pg {

struct Options {
  using ms = std::chrono::milliseconds;

  // postgresql://user:password@host:port,host:port/database or libpq's key=value form. It may hold
  // a password: never logged, not part of any message.
  Secret url{};
  std::string application_name{};  // unless the URL names one

  // Run once on every new connection, in this order, before anything else. If the last one returns
  // a row, the text of its first column is the session note (Rows::session_note).
  std::vector<std::string> on_connect{};

  // Per event loop. More connections: more statements run at the same time in the server.
  std::size_t look_up_connections = 4;
  std::size_t scan_connections = 1;
  std::size_t transaction_connections = 4;

  // Look-ups sent on one connection and not answered. More: fewer round trips under load, and a
  // longer wait behind a slow look-up.
  std::size_t look_ups_in_flight = 64;
  // Calls of one kind that wait on one loop for a connection; beyond it, `overloaded`.
  std::size_t queue_limit = 1024;

  // Bounds kept by the server.
  ms look_up_timeout = kLookUpTime;      // statement_timeout of look-ups
  ms statement_timeout{2000};            // statement_timeout of scans, writes and transactions
  ms idle_in_transaction_timeout{5000};  // then the server ends a forgotten transaction
  // A connection is stalled if its oldest statement gets no answer for this long after its
  // statement_timeout. Its calls are answered; the connection keeps its place until it has ended.
  ms stall_margin{500};

  // Opening a connection, per address; then the next address is tried. Overridden by the URL's
  // connect_timeout.
  ms connect_timeout{2000};
  // Between attempts when all addresses failed: doubled from the first to the second, less up to
  // half of it by chance.
  ms backoff_first{50};
  ms backoff_most{2000};

  // The queries to keep statistics of; others are run but not counted.
  std::vector<const Query*> queries{};

  // One line when the database becomes unreachable and when it is back; any thread.
  std::function<void(std::string_view)> log{};
};

// The numbers of the pools of one kind.
template <class Number>
struct PoolNumbers {
  Number open{};         // connections
  Number busy{};         // of these, with something in flight or taken by a transaction
  Number in_flight{};    // calls sent and not answered
  Number waiting{};      // calls not sent yet
  Number stalled_now{};  // connections that keep their place and are of no use
  Number opened{};       // from here on: since the start
  Number connect_failures{};
  Number lost{};        // open connections that were lost
  Number stalled{};     // of these, the ones that got no answer in time
  Number overloaded{};  // calls refused
  Number timeouts{};    // calls that passed their deadline, or were cancelled
  Number repeated{};    // statements prepared anew, transactions run again

  static constexpr auto table() {
    using N = PoolNumbers;
    return std::tuple{
        level_of(&N::open, {"postgresql_connections", "Open connections to PostgreSQL"}),
        level_of(&N::busy, {"postgresql_connections_busy",
                            "Of the open connections, those with a call or a transaction"}),
        level_of(&N::in_flight),
        level_of(&N::waiting),
        level_of(&N::stalled_now,
                 {"postgresql_connections_stalled_now",
                  "Connections that wait for an answer beyond its time and keep their place"}),
        count_of(&N::opened, {"postgresql_connections_opened_total", "Connections opened"}),
        count_of(&N::connect_failures,
                 {"postgresql_connect_failures_total", "Connections that could not be opened"}),
        count_of(&N::lost,
                 {"postgresql_connections_lost_total", "Open connections that were lost"}),
        count_of(&N::stalled, {"postgresql_connections_stalled_total",
                               "Of the lost connections, those that got no answer in time"}),
        count_of(&N::overloaded),
        count_of(&N::timeouts, {"postgresql_calls_given_up_total",
                                "Calls that passed their deadline or lost their caller"}),
        count_of(&N::repeated,
                 {"postgresql_repetitions_total",
                  "Transactions run again after a conflict, statements prepared anew"})};
  }
};
using PoolStats = PoolNumbers<std::uint64_t>;

struct Stats {
  PoolStats look_ups{};
  PoolStats scans{};
  PoolStats transactions{};
};

}  // namespace um::pg
