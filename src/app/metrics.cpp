#include <chrono>

#include "app/application_stats.hpp"
#include "telemetry/metrics_page.hpp"

namespace um {
namespace {

double seconds(std::chrono::nanoseconds time) {
  return std::chrono::duration<double>{time}.count();
}
double number(std::uint64_t count) {
  return static_cast<double>(count);
}

void add_requests(MetricsPage& page, const api::RequestStats& stats) {
  for (const auto& route : stats.routes) {
    for (const auto& [status, count] : route.by_status)
      page.counter(
          {"user_manager_http_requests_total", "Requests answered, by route and status"},
          {{"route", route.route}, {"method", route.method}, {"status", std::to_string(status)}},
          number(count));
    page.histogram({"user_manager_http_request_duration_seconds",
                    "Time from the last byte of a request to its answer"},
                   {{"route", route.route}, {"method", route.method}},
                   {.upper_bounds = api::RequestStats::kBucketBoundsSeconds,
                    .counts = route.buckets,
                    .sum = route.seconds_sum});
  }
  page.counter(
      {"user_manager_http_answered_at_once_total", "Requests answered without any waiting"}, {},
      number(stats.answered_at_once));
}

void add_cache_contents(MetricsPage& page, const ApplicationStats& all) {
  const CoherenceStats& stats = all.cache.coherence;
  for (std::size_t kind = 0; kind < kEntryKinds; ++kind) {
    const std::string name{entry_kind_name(kind)};
    page.counter(
        {"user_manager_cache_hits_total", "Answers from memory, by level and kind of entry"},
        {{"level", "l1"}, {"kind", name}}, number(stats.hits[kind]));
    if (all.redis)
      page.counter(
          {"user_manager_cache_hits_total", "Answers from memory, by level and kind of entry"},
          {{"level", "l2"}, {"kind", name}}, number(all.cache.l2.hits[kind]));
    page.counter({"user_manager_cache_misses_total", "Look-ups that memory could not answer"},
                 {{"kind", name}}, number(all.cache.misses[kind]));
  }
  for (std::size_t verdict = 1; verdict < kAdmissions; ++verdict)
    page.counter({"user_manager_cache_refusals_total", "Values not admitted to memory, by reason"},
                 {{"reason", std::string{admission_name(verdict)}}},
                 number(stats.offered[verdict]));
  page.counter({"user_manager_cache_admissions_total", "Values admitted to memory"}, {},
               number(stats.offered[0]));
  page.counter({"user_manager_cache_evictions_total", "Entries evicted for room"},
               {{"part", "present"}}, number(stats.evictions));
  page.counter({"user_manager_cache_evictions_total", "Entries evicted for room"},
               {{"part", "absent"}}, number(stats.evictions_absent));
  page.gauge({"user_manager_cache_entries", "Entries in memory"}, {{"part", "present"}},
             number(stats.entries));
  page.gauge({"user_manager_cache_entries", "Entries in memory"}, {{"part", "absent"}},
             number(stats.entries_absent));
  page.gauge({"user_manager_cache_bytes", "Bytes charged for the entries"}, {},
             number(stats.bytes));
  page.gauge({"user_manager_cache_capacity_bytes", "Bound of user_manager_cache_bytes"}, {},
             number(stats.capacity_bytes));
  page.counter({"user_manager_cache_stale_answers_total",
                "Answers from memory while the database did not answer"},
               {}, number(all.cache.stale_answers));
}

void add_coherence(MetricsPage& page, const CoherenceStats& stats) {
  page.gauge({"user_manager_lease_valid", "1 while the lease is valid and memory may answer"}, {},
             stats.lease_valid ? 1 : 0);
  if (stats.since_last_poll)
    page.gauge({"user_manager_lease_age_seconds", "Time since the last successful poll was sent"},
               {}, seconds(*stats.since_last_poll));
  page.counter({"user_manager_lease_lapses_total", "Times that a lease ended before its renewal"},
               {}, number(stats.lapsed_leases));
  page.counter({"user_manager_reads_without_lease_total",
                "Reads sent to the database because no lease was valid"},
               {}, number(stats.reads_without_lease));
  page.counter({"user_manager_feed_polls_total", "Polls of the change feed"}, {},
               number(stats.polls));
  page.counter({"user_manager_feed_changes_total", "Changes by others that polls brought"}, {},
               number(stats.changes));
  for (const auto& [reason, count] : stats.flushes)
    page.counter({"user_manager_cache_flushes_total", "Times that memory was emptied, by reason"},
                 {{"reason", reason}}, number(count));
  page.counter({"user_manager_holds_total", "Keys held around commits"}, {}, number(stats.holds));
  page.gauge({"user_manager_held_keys", "Keys held now"}, {}, number(stats.held_now));
  page.gauge({"user_manager_change_log_entries", "Changes kept to check the values of older reads"},
             {}, number(stats.log_entries));
}

void add_queue(MetricsPage& page, std::string queue, std::size_t length) {
  page.gauge({"user_manager_queue_length", "Calls that wait now"}, {{"queue", std::move(queue)}},
             number(length));
}
void add_queue_refusals(MetricsPage& page, std::string queue, std::uint64_t count) {
  page.counter({"user_manager_queue_refusals_total", "Calls refused because a queue was full"},
               {{"queue", std::move(queue)}}, number(count));
}

void add_queues(MetricsPage& page, const ApplicationStats& stats) {
  add_queue(page, "database_writes", stats.storage.write_queue);
  add_queue(page, "database_reads", stats.storage.read_queue);
  add_queue_refusals(page, "database", stats.storage.refused);
}

void add_storage(MetricsPage& page, const StorageStats& stats) {
  for (const auto& [name, query] : stats.queries) {
    page.histogram(
        {"user_manager_database_query_duration_seconds", "Database calls, by named query"},
        {{"query", name}},
        {.upper_bounds = StorageStats::Query::kBucketBoundsSeconds,
         .counts = query.buckets,
         .sum = query.seconds_sum});
    page.counter(
        {"user_manager_database_errors_total", "Database calls that failed, by named query"},
        {{"query", name}}, number(query.errors));
  }
  page.counter({"user_manager_database_commits_total", "Commits of this process"}, {},
               number(stats.commits));
  page.counter(
      {"user_manager_database_writes_total", "Writes answered; over commits: the size of a group"},
      {}, number(stats.writes));
  page.counter({"user_manager_sessions_displaced_total",
                "Logins that ended because their user signed in too many times since"},
               {}, number(stats.sessions_displaced));
}

void add_l2(MetricsPage& page, const L2Stats& level, const RedisL2Store::Stats& facts) {
  page.counter({"user_manager_l2_facts_refused_total",
                "Facts from Redis that were too old, held or of another namespace"},
               {}, number(level.refused));
  const auto read = [&](const char* result, std::uint64_t count) {
    page.counter({"user_manager_l2_reads_total", "Look-ups of facts in Redis, by result"},
                 {{"result", result}}, number(count));
  };
  read("fact", facts.facts);
  read("absent", facts.absent);
  read("unreachable", facts.unreachable);
  for (std::size_t fault = 0; fault < kEntryFaults; ++fault)
    read(to_string(static_cast<EntryFault>(fault)).data(), facts.refused[fault]);
  page.counter({"user_manager_l2_writes_total", "Facts sent to Redis"}, {}, number(facts.puts));
  const auto turn = [&](const char* result, std::uint64_t count) {
    page.counter(
        {"user_manager_l2_turns_total",
         "Keys missing in Redis: read by this instance, waited for, received from another"},
        {{"result", result}}, number(count));
  };
  turn("asked", facts.marks);
  turn("waited", facts.waits);
  turn("received", facts.received);
}

void add_redis(MetricsPage& page, const redis::Stats& stats) {
  page.gauge({"user_manager_redis_connected", "Connections to Redis, one for each event loop"}, {},
             number(stats.connected));
  page.gauge({"user_manager_redis_breaker_open", "Circuit breakers that let nothing through"}, {},
             number(stats.open));
  page.counter({"user_manager_redis_breaker_openings_total", "Times that a breaker opened"}, {},
               number(stats.breaker_openings));
  page.add<redis::LinkNumbers>(stats);
}

}  // namespace

std::string render_metrics(const ApplicationStats& stats) {
  MetricsPage page;
  page.gauge({"user_manager_info", "Always 1; the version is in the label"},
             {{"version", UM_VERSION}}, 1);
  page.gauge({"user_manager_uptime_seconds", "Time since the start"}, {}, stats.uptime_seconds);
  page.counter({"user_manager_log_lines_dropped_total", "Log lines lost to a slow output"}, {},
               number(stats.dropped_log_lines));
  add_requests(page, stats.requests);
  page.add(stats.server);
  add_cache_contents(page, stats);
  add_coherence(page, stats.cache.coherence);
  page.add(stats.cache.flights, {{"kind", "user"}});
  page.add(stats.session_flights, {{"kind", "session"}});
  page.add(stats.cache.primary);
  add_queues(page, stats);
  add_storage(page, stats.storage);
  page.add(stats.sign_in);
  page.add(stats.hasher);
  page.add(stats.attempts);
  page.add(stats.tokens);
  if (stats.redis) {
    add_l2(page, stats.cache.l2, stats.redis->l2);
    add_redis(page, stats.redis->client);
  }
  if (stats.stored_attempts) page.add(*stats.stored_attempts);
  return page.text();
}

}  // namespace um
