// GET /metrics: the page is well-formed and has the numbers that operators watch.
#include <cmath>
#include <map>
#include <set>

#include "support/stage_test.hpp"

namespace um::e2e {
namespace {

// One line of the text format: name, sorted labels as text, value.
struct Sample {
  std::string name;
  std::string labels;
  double value = 0;
};

struct Page {
  std::map<std::string, std::string> types;  // by family
  std::vector<Sample> samples;

  // Sum over the samples with all of these texts in their labels.
  double sum(const std::string& name, const std::vector<std::string>& labels = {}) const {
    double total = 0;
    for (const auto& sample : samples) {
      const auto contains = [&](const std::string& label) {
        return sample.labels.find(label) != std::string::npos;
      };
      if (sample.name == name && std::ranges::all_of(labels, contains)) total += sample.value;
    }
    return total;
  }
  bool has(const std::string& name) const {
    return std::ranges::any_of(samples, [&](const Sample& s) { return s.name == name; });
  }
};

class Metrics : public StageTest<Metrics> {
 protected:
  // Also checks every line against the grammar of the format.
  static Page scrape() {
    static const std::regex kSample{
        R"re(([a-zA-Z_:][a-zA-Z0-9_:]*)(\{(?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\]|\\.)*",?)*\})? )re"
        R"re((-?[0-9.]+(?:e[+-]?[0-9]+)?|[+-]Inf|NaN|Inf))re"};
    static const std::regex kType{
        R"(# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge|histogram|summary|untyped))"};
    Page page;
    const auto answer = stage().send({.target = "/metrics"});
    EXPECT_EQ(answer.status, 200U);
    EXPECT_TRUE(answer.body.ends_with('\n'));
    std::istringstream lines{answer.body};
    std::set<std::string> seen;
    for (std::string line; std::getline(lines, line);) {
      std::smatch match;
      if (std::regex_match(line, match, kType)) {
        EXPECT_TRUE(page.types.emplace(match[1], match[2]).second) << "two types: " << line;
      } else if (!line.starts_with("# HELP ")) {
        EXPECT_TRUE(std::regex_match(line, match, kSample)) << line;
        EXPECT_TRUE(seen.insert(match[1].str() + match[2].str()).second) << "twice: " << line;
        page.samples.push_back({match[1], match[2], std::strtod(match[3].str().c_str(), nullptr)});
      }
    }
    return page;
  }
};

TEST_F(Metrics, CountRequestsByRouteAndStatus) {
  stage().add("ann");
  const auto before = scrape();
  for (int i = 0; i < 3; ++i) stage().get("ann", "/user/<ann>");
  stage().run({{.request = "GET /user/<ann>", .status = 401},
               {.who = "ann", .request = "PATCH /user/<ann>", .body = "{}"},
               {.request = "GET /nowhere", .status = 404}});
  const auto after = scrape();
  const std::string requests = "user_manager_http_requests_total";
  const auto grown = [&](const std::vector<std::string>& labels) {
    return after.sum(requests, labels) - before.sum(requests, labels);
  };
  EXPECT_EQ(grown({"route=\"user_get\"", "method=\"GET\"", "status=\"200\""}), 3);
  EXPECT_EQ(grown({"route=\"user_get\"", "method=\"GET\"", "status=\"401\""}), 1);
  EXPECT_EQ(grown({"route=\"user_patch\"", "method=\"PATCH\"", "status=\"200\""}), 1);
  EXPECT_EQ(grown({"status=\"404\""}), 1);
  EXPECT_EQ(after.types.at(requests), "counter");
}

TEST_F(Metrics, NoLabelGrowsWithWhatClientsSend) {
  const auto before = scrape();
  for (int i = 0; i < 50; ++i) {
    stage().send({.target = "/made-up-" + std::to_string(i)});
    stage().get("admin", "/user/" + std::to_string(900'000 + i));
    stage().send({.method = "BREW", .target = "/user/" + std::to_string(i)});
  }
  const auto after = scrape();
  EXPECT_LE(after.samples.size(), before.samples.size() + 40);
  for (const auto& sample : after.samples) {
    EXPECT_EQ(sample.labels.find("made-up"), std::string::npos) << sample.labels;
    EXPECT_EQ(sample.labels.find("9000"), std::string::npos) << sample.labels;
  }
}

TEST_F(Metrics, EveryHistogramIsCumulativeAndEndsWithInfinity) {
  stage().add("ann");
  stage().get("ann", "/user/<ann>");
  const auto page = scrape();
  int histograms = 0;
  for (const auto& [family, type] : page.types) {
    if (type != "histogram") continue;
    ++histograms;
    std::map<std::string, double> last;  // by the labels without le
    std::map<std::string, double> infinite;
    static const std::regex kBound{"(,?)le=\"([^\"]*)\"(,?)"};
    for (const auto& sample : page.samples) {
      if (sample.name != family + "_bucket") continue;
      std::smatch bound;
      ASSERT_TRUE(std::regex_search(sample.labels, bound, kBound));
      const auto rest = std::regex_replace(sample.labels, kBound, "");
      EXPECT_GE(sample.value, last[rest]) << family << sample.labels;
      last[rest] = sample.value;
      if (bound[2] == "+Inf") infinite[rest] = sample.value;
    }
    EXPECT_EQ(last, infinite) << family;
    double total = 0;
    for (const auto& [labels, value] : infinite) total += value;
    EXPECT_EQ(page.sum(family + "_count"), total) << family;
    EXPECT_TRUE(page.has(family + "_sum")) << family;
  }
  EXPECT_GE(histograms, 2);
}

TEST_F(Metrics, CacheReadsAreCountedByLevel) {
  stage().add("ann");
  const std::string hits = "user_manager_cache_hits_total";
  const auto before = scrape();
  EXPECT_TRUE(eventually([&] {
    return stage().get("admin", "/user/<ann>").header("Cache-Status") ==
           "user-manager; hit; detail=L1";
  }));
  const auto after = scrape();
  EXPECT_GT(after.sum(hits, {"level=\"l1\"", "kind=\"user\""}),
            before.sum(hits, {"level=\"l1\"", "kind=\"user\""}));
  // No test has read this user before.
  stage().get("admin", "/users/by-email/never-asked-for@example.test");
  const std::string misses = "user_manager_cache_misses_total";
  EXPECT_GT(scrape().sum(misses), before.sum(misses));
}

TEST_F(Metrics, SignInsAreCountedByOutcome) {
  stage().add("ann");
  auto client = stage().server().client_from("127.0.9.1");
  const auto attempt = [&](const std::string& password) {
    return client
        .send({.method = "POST",
               .target = "/auth/login",
               .body = stage().fill_in(R"({"email": "<ann.email>", "password": ")" + password +
                                       R"("})")})
        .status;
  };
  const auto before = scrape();
  for (int i = 0; i < 2; ++i) EXPECT_EQ(attempt("open-Sesame-1"), 200U);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(attempt("wrong-Sesame"), 401U);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(attempt("wrong-Sesame"), 429U);
  const auto after = scrape();
  const auto grown = [&](const std::string& outcome) {
    const std::vector<std::string> labels{"outcome=\"" + outcome + "\""};
    return after.sum("user_manager_sign_ins_total", labels) -
           before.sum("user_manager_sign_ins_total", labels);
  };
  EXPECT_EQ(grown("succeeded"), 2);
  EXPECT_EQ(grown("wrong"), 10);
  EXPECT_EQ(grown("limited"), 3);
  // An attempt that the limit refuses costs no hashing.
  const std::vector<std::string> checks{"use=\"check\""};
  EXPECT_EQ(after.sum("user_manager_password_hashes_total", checks) -
                before.sum("user_manager_password_hashes_total", checks),
            12);
}

TEST_F(Metrics, EverythingThatOperatorsWatchIsThere) {
  stage().add("ann");
  stage().get("ann", "/user/<ann>");
  const auto page = scrape();
  for (const auto* name :
       {"user_manager_http_requests_total", "user_manager_http_request_duration_seconds_bucket",
        "user_manager_cache_hits_total", "user_manager_cache_misses_total",
        "user_manager_cache_refusals_total", "user_manager_cache_evictions_total",
        "user_manager_cache_bytes", "user_manager_lease_age_seconds",
        "user_manager_lease_lapses_total", "user_manager_database_query_duration_seconds_bucket",
        "user_manager_queue_length", "user_manager_queue_refusals_total",
        "user_manager_sign_ins_total", "user_manager_http_connections_open"}) {
    EXPECT_TRUE(page.has(name)) << name;
  }
  EXPECT_GT(page.sum("user_manager_cache_bytes"), 0);
  EXPECT_GT(page.sum("user_manager_database_query_duration_seconds_count"), 0);
  EXPECT_EQ(page.sum("user_manager_lease_valid"), 1);
  for (const auto* queue : {"database_writes", "password_hashing"}) {
    EXPECT_EQ(page.sum("user_manager_queue_length", {std::string{"queue=\""} + queue}), 0) << queue;
  }
}

TEST_F(Metrics, QueriesAreCountedByName) {
  stage().add("ann");
  const auto calls = [](const Page& page) {
    return page.sum("user_manager_database_query_duration_seconds_count", {"query=\"find_user\""});
  };
  const auto before = scrape();
  for (int i = 0; i < 4; ++i) {
    stage().run(Step{
        .who = "ann", .request = "GET /user/<ann>", .headers = {{"Cache-Control", "no-cache"}}});
  }
  EXPECT_GE(calls(scrape()) - calls(before), 4);
}

}  // namespace
}  // namespace um::e2e
