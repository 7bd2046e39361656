#include <gmock/gmock.h>

#include "app/application_stats.hpp"

namespace um {
namespace {

using testing::HasSubstr;

ApplicationStats some_stats() {
  ApplicationStats stats;
  stats.requests.routes.push_back(
      {.route = "get_user", .method = "GET", .by_status = {{200, 7}, {404, 2}}});
  stats.cache.coherence.hits[2] = 5;
  stats.cache.coherence.refused[4] = 3;
  stats.cache.coherence.flushes["foreign_commit"] = 1;
  stats.cache.coherence.since_last_poll = std::chrono::milliseconds{20};
  stats.storage.queries["find_user"] = {.calls = 2, .errors = 1};
  stats.sign_in.wrong = 4;
  return stats;
}

TEST(Metrics, EveryFamilyOfTheContractIsThere) {
  const std::string text = render_metrics(some_stats());
  for (const char* line :
       {"user_manager_http_requests_total{route=\"get_user\",method=\"GET\",status=\"404\"} 2",
        "user_manager_http_request_duration_seconds_bucket{",
        "user_manager_cache_hits_total{level=\"l1\",kind=\"user\"} 5",
        "user_manager_cache_misses_total{",
        "user_manager_cache_refusals_total{reason=\"changed\"} 3",
        "user_manager_cache_evictions_total{", "user_manager_cache_bytes ",
        "user_manager_lease_age_seconds 0.02", "user_manager_lease_lapses_total ",
        "user_manager_database_query_duration_seconds_count{query=\"find_user\"}",
        "user_manager_queue_length{queue=\"database_writes\"}",
        "user_manager_sign_ins_total{outcome=\"wrong\"} 4",
        "user_manager_cache_flushes_total{reason=\"foreign_commit\"} 1"})
    EXPECT_THAT(text, HasSubstr(line));
}

TEST(Metrics, APageOfAFreshProcessCanBeRendered) {
  const std::string text = render_metrics(ApplicationStats{});
  EXPECT_THAT(text, HasSubstr("user_manager_info{version="));
  EXPECT_THAT(text, testing::Not(HasSubstr("user_manager_lease_age_seconds ")));  // no poll yet
}

TEST(CacheReport, SaysTheSameAsTheMetrics) {
  const std::string text = render_cache_report(some_stats());
  EXPECT_THAT(text,
              HasSubstr(R"("hits":{"l1":{"absent":0,"email":0,"user":5,"session":0,"total":5})"));
  EXPECT_THAT(text, HasSubstr(R"("changed":3)"));
  EXPECT_THAT(text, HasSubstr(R"("age_seconds":0.02)"));
}

TEST(CacheReport, SaysThePromiseOfTheInstance) {
  ApplicationStats stats = some_stats();
  stats.promise = {.consistency = Consistency::bounded,
                   .staleness_bound = std::chrono::milliseconds{250}};
  EXPECT_THAT(render_cache_report(stats),
              HasSubstr(R"("promise":{"consistency":"bounded","staleness_bound_ms":250})"));
}

}  // namespace
}  // namespace um
