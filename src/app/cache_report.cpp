#include "app/cache_report.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "app/stat_names.hpp"

namespace um {
namespace {

namespace json = boost::json;

json::object by_kind(const CountByKind& counts) {
  json::object result;
  std::uint64_t total = 0;
  for (std::size_t kind = 0; kind < counts.size(); ++kind) {
    result[entry_kind_name(kind)] = counts[kind];
    total += counts[kind];
  }
  result["total"] = total;
  return result;
}

json::object refusals(const CoherenceStats& stats) {
  json::object result;
  for (std::size_t verdict = 1; verdict < kAdmissions; ++verdict)
    result[admission_name(verdict)] = stats.offered[verdict];
  return result;
}

json::object lease(const CoherenceStats& stats) {
  json::object result{{"valid", stats.lease_valid},
                      {"lapses", stats.lapsed_leases},
                      {"reads_without_lease", stats.reads_without_lease}};
  result["age_seconds"] = nullptr;
  if (stats.since_last_poll)
    result["age_seconds"] = std::chrono::duration<double>{*stats.since_last_poll}.count();
  return result;
}

json::object flushes(const CoherenceStats& stats) {
  json::object result;
  for (const auto& [reason, count] : stats.flushes) result[reason] = count;
  return result;
}

json::object flights(const FlightStats& stats) {
  return {{"leaders", stats.leaders},
          {"followers", stats.followers},
          {"turned_away", stats.turned_away},
          {"refused", stats.refused}};
}

// null: there is none.
json::value second_level(const ServiceStats& all) {
  if (!all.shared_memory) return nullptr;
  const SecondLevelStats& stats = all.cache.second_level;
  return json::object{{"misses", stats.misses},
                      {"refused", stats.refused},
                      {"put", stats.put},
                      {"connected", all.shared_memory->client.connected > 0},
                      {"breaker_open", all.shared_memory->client.open > 0}};
}

}  // namespace

std::string render_cache_report(const ServiceStats& all) {
  const CoherenceStats& stats = all.cache.coherence;
  const json::object report{
      {"hits", {{"l1", by_kind(stats.hits)}, {"l2", by_kind(all.cache.second_level.hits)}}},
      {"misses", by_kind(all.cache.misses)},
      {"admissions", stats.offered[0]},
      {"refusals", refusals(stats)},
      {"evictions", {{"present", stats.evictions}, {"absent", stats.evictions_absent}}},
      {"entries", {{"present", stats.entries}, {"absent", stats.entries_absent}}},
      {"bytes", stats.bytes},
      {"capacity_bytes", stats.capacity_bytes},
      {"lease", lease(stats)},
      {"flushes", flushes(stats)},
      {"holds", {{"now", stats.held_now}, {"total", stats.holds}}},
      {"single_flight",
       {{"users", flights(all.cache.flights)}, {"sessions", flights(all.session_flights)}}},
      {"second_level", second_level(all)},
      {"stale_answers", all.cache.stale_answers},
      {"database_reads", all.cache.primary.reads},
  };
  return json::serialize(report);
}

}  // namespace um
