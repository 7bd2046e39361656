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

void add_coherence(MetricsPage& page, const CoherenceStats& stats) {
  page.add<ShardNumbers>(stats);
  page.add<CoherenceNumbers>(stats);
  if (stats.since_last_poll)
    page.gauge({"user_manager_lease_age_seconds", "Time since the last successful poll was sent"},
               {}, seconds(*stats.since_last_poll));
  for (const auto& [reason, count] : stats.flushes)
    page.counter({"user_manager_cache_flushes_total", "Times that memory was emptied, by reason"},
                 {{"reason", reason}}, number(count));
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
  if (stats.strict_waits)
    page.histogram({"user_manager_strict_write_wait_seconds",
                    "Time that one write waited for other instances"},
                   {},
                   {.upper_bounds = StorageStats::Query::kBucketBoundsSeconds,
                    .counts = stats.strict_waits->buckets,
                    .sum = stats.strict_waits->seconds_sum});
  for (const auto& [instance, count] : stats.slowest_instances)
    page.counter({"user_manager_strict_write_slowest_total",
                  "Waits of writes in which this instance was the last to acknowledge"},
                 {{"instance", instance}}, number(count));
  page.add<StorageNumbers>(stats);
  page.add(stats.client);
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
  page.add<CacheNumbers>(stats.cache);
  add_coherence(page, stats.cache.coherence);
  page.add(stats.cache.flights, {"kind", "user"});
  page.add(stats.session_flights, {"kind", "session"});
  page.add(stats.cache.primary);
  add_storage(page, stats.storage);
  page.add(stats.sign_in);
  page.add(stats.hasher);
  page.add(stats.attempts);
  page.add(stats.tokens);
  if (stats.redis) {
    page.add(stats.cache.l2);
    page.add(stats.redis->l2);
    page.add<redis::LinkNumbers>(stats.redis->client);
  }
  if (stats.stored_attempts) page.add(*stats.stored_attempts);
  return page.text();
}

}  // namespace um
