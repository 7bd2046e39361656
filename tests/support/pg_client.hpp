// Helpers for tests of pg::Client: queries, deadlines, and concurrent look-ups.
#pragma once

#include <vector>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include "drivers/pg/client.hpp"
#include "support/run_task.hpp"

namespace um::pg::testing {

inline constexpr Query kOne{.name = "one", .sql = "select 1"};
inline constexpr Query kSlow{.name = "slow", .sql = "select pg_sleep(30)"};

// A table to write to, and a function that fails with a SQLSTATE.
inline constexpr const char* kThings =
    "create table things (id bigint generated always as identity primary key,"
    " name text not null constraint things_name unique deferrable initially immediate);"
    "create function fail_with(state text) returns int language plpgsql as"
    " $$ begin raise exception 'on request' using errcode = state; end $$;";

// Later than any successful call ends.
inline Deadline patient() {
  return {BootClock::now() + std::chrono::seconds{20}};
}
inline Deadline in(std::chrono::nanoseconds wait) {
  return {BootClock::now() + wait};
}

// Runs many look-ups at the same time; returns their outcomes in order.
inline std::vector<Outcome<Rows>> look_up_all(Client& client, std::vector<const Query*> queries,
                                              Deadline deadline = patient()) {
  std::vector<Task<Outcome<Rows>>> tasks;
  tasks.reserve(queries.size());
  for (const Query* query : queries) tasks.push_back(client.look_up(*query, {}, deadline));
  return test::run_all(std::move(tasks));
}

}  // namespace um::pg::testing
