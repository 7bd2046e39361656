#include "app/shared_metrics.hpp"

namespace um {
namespace {

double number(std::uint64_t count) {
  return static_cast<double>(count);
}

void add_facts(MetricsPage& page, const SecondLevelStats& level, const RedisL2Store::Stats& facts) {
  page.counter({"user_manager_l2_facts_refused_total",
                "Facts from Redis that were too old or held, of another namespace"},
               {}, number(level.refused));
  const auto read = [&](const char* result, std::uint64_t count) {
    page.counter({"user_manager_l2_reads_total", "Facts asked of Redis, by what came of it"},
                 {{"result", result}}, number(count));
  };
  read("fact", facts.facts);
  read("absent", facts.absent);
  read("unreachable", facts.unreachable);
  for (std::size_t fault = 0; fault < kEntryFaults; ++fault)
    read(to_string(static_cast<EntryFault>(fault)).data(), facts.refused[fault]);
  page.counter({"user_manager_l2_writes_total", "Facts sent to Redis"}, {}, number(facts.puts));
  const auto turn = [&](const char* result, std::uint64_t count) {
    page.counter({"user_manager_l2_turns_total",
                  "Keys nobody had: asked by this instance, waited for, received from another"},
                 {{"result", result}}, number(count));
  };
  turn("asked", facts.marks);
  turn("waited", facts.waits);
  turn("received", facts.received);
}

void add_client(MetricsPage& page, const redis::Stats& stats) {
  page.gauge({"user_manager_redis_connected", "Connections to Redis, one for each event loop"}, {},
             number(stats.connected));
  page.gauge({"user_manager_redis_breaker_open", "Circuit breakers that let nothing through"}, {},
             number(stats.open));
  page.counter({"user_manager_redis_breaker_openings_total", "Times that a breaker opened"}, {},
               number(stats.breaker_openings));
  const auto call = [&](std::string result, std::uint64_t count) {
    page.counter({"user_manager_redis_calls_total", "Commands, by how they ended"},
                 {{"result", std::move(result)}}, number(count));
  };
  call("answer", stats.answers);
  call("timeout", stats.timeouts);
  call("lost", stats.lost);
  call("unavailable", stats.unavailable);
  call("overloaded", stats.overloaded);
  call("cancelled", stats.cancelled);
  for (std::size_t error = 0; error < redis::kErrorClasses; ++error)
    call("error_" + std::string{to_string(static_cast<redis::ErrorClass>(error))},
         stats.refused[error]);
  page.counter({"user_manager_redis_dropped_total", "Background commands given up unsent"}, {},
               number(stats.dropped));
  for (std::size_t reason = 1; reason < redis::kBreakages; ++reason)
    page.counter({"user_manager_redis_breakages_total", "Connections that ended, by reason"},
                 {{"reason", std::string{to_string(static_cast<redis::Breakage>(reason))}}},
                 number(stats.breakages[reason]));
}

}  // namespace

void add_shared_metrics(MetricsPage& page, const ServiceStats& stats) {
  if (stats.redis) {
    add_facts(page, stats.cache.second_level, stats.redis->l2);
    add_client(page, stats.redis->client);
  }
  if (stats.stored_attempts) page.add(*stats.stored_attempts);
}

}  // namespace um
