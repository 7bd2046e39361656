#include "app/application_stats.hpp"
#include "base/json_writer.hpp"

namespace um {
namespace {

void write_by_kind(JsonWriter& json, const std::array<std::uint64_t, kEntryKinds>& counts) {
  json.open_object();
  std::uint64_t total = 0;
  for (std::size_t kind = 0; kind < counts.size(); ++kind) {
    json.member(kEntryKindNames.at(kind), counts[kind]);
    total += counts[kind];
  }
  json.member("total", total).close();
}

void write_refusals(JsonWriter& json, const CoherenceStats& stats) {
  json.open_object();
  for (std::size_t verdict = 1; verdict < kAdmissions; ++verdict)
    json.member(kRefusalNames.at(verdict), stats.refused.at(verdict));
  json.close();
}

void write_lease(JsonWriter& json, const CoherenceStats& stats) {
  std::optional<double> age_seconds;
  if (stats.since_last_poll)
    age_seconds = std::chrono::duration<double>{*stats.since_last_poll}.count();
  json.open_object()
      .member("valid", stats.lease_valid != 0)
      .member("lapses", stats.lapsed_leases)
      .member("reads_without_lease", stats.reads_without_lease)
      .member("age_seconds", age_seconds)
      .close();
}

void write_flushes(JsonWriter& json, const CoherenceStats& stats) {
  json.open_object();
  for (const auto& [reason, count] : stats.flushes) json.member(reason, count);
  json.close();
}

void write_flights(JsonWriter& json, const FlightStats& stats) {
  json.open_object()
      .member("leaders", stats.leaders)
      .member("followers", stats.followers)
      .member("turned_away", stats.turned_away)
      .member("refused", stats.refused)
      .close();
}

void write_promise(JsonWriter& json, const PromiseStats& promise) {
  json.open_object()
      .member("consistency", to_string(promise.consistency))
      .member("staleness_bound_ms", promise.staleness_bound.count())
      .close();
}

// null: there is no second level.
void write_l2(JsonWriter& json, const ApplicationStats& all) {
  if (!all.redis) {
    json.value(nullptr);
    return;
  }
  const L2Stats& stats = all.cache.l2;
  json.open_object()
      .member("misses", stats.misses)
      .member("refused", stats.refused)
      .member("put", stats.put)
      .member("connected", all.redis->client.connected > 0)
      .member("breaker_open", all.redis->client.open > 0)
      .close();
}

}  // namespace

std::string render_cache_report(const ApplicationStats& all) {
  const CoherenceStats& stats = all.cache.coherence;
  JsonWriter json;
  json.open_object();
  write_promise(json.key("promise"), all.promise);
  json.key("hits").open_object();
  write_by_kind(json.key("l1"), stats.hits);
  write_by_kind(json.key("l2"), all.cache.l2.hits);
  json.close();
  write_by_kind(json.key("misses"), all.cache.misses);
  json.member("admissions", stats.admitted);
  write_refusals(json.key("refusals"), stats);
  json.key("evictions").open_object().member("present", stats.evictions);
  json.member("absent", stats.evictions_absent).close();
  json.key("entries").open_object().member("present", stats.entries);
  json.member("absent", stats.entries_absent).close();
  json.member("bytes", stats.bytes).member("capacity_bytes", stats.capacity_bytes);
  write_lease(json.key("lease"), stats);
  write_flushes(json.key("flushes"), stats);
  json.key("holds").open_object().member("now", stats.held_now).member("total", stats.holds);
  json.close().key("single_flight").open_object();
  write_flights(json.key("users"), all.cache.flights);
  write_flights(json.key("sessions"), all.session_flights);
  json.close();
  write_l2(json.key("l2"), all);
  json.member("stale_answers", all.cache.stale_answers);
  json.member("database_reads", all.cache.primary.reads);
  return json.close().take();
}

}  // namespace um
