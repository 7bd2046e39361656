#include "telemetry/metrics_page.hpp"

#include <stdexcept>

#include <gtest/gtest.h>

namespace um {
namespace {

TEST(MetricsPage, LinesOfOneNameStandTogether) {
  MetricsPage page;
  page.counter({"um_reads_total", "Reads."}, {{"level", "l1"}}, 3);
  page.gauge({"um_bytes", "Bytes held."}, {}, 1.5);
  page.counter({"um_reads_total", "Reads."}, {{"level", "primary"}}, 4);
  EXPECT_EQ(page.text(),
            "# HELP um_reads_total Reads.\n"
            "# TYPE um_reads_total counter\n"
            "um_reads_total{level=\"l1\"} 3\n"
            "um_reads_total{level=\"primary\"} 4\n"
            "# HELP um_bytes Bytes held.\n"
            "# TYPE um_bytes gauge\n"
            "um_bytes 1.5\n");
}

TEST(MetricsPage, AHistogramIsWrittenCumulatively) {
  MetricsPage page;
  const std::array bounds{0.001, 0.01};
  const std::array<std::uint64_t, 3> counts{5, 2, 1};
  page.histogram({"um_query_seconds", "Calls."}, {{"query", "find"}},
                 {.upper_bounds = bounds, .counts = counts, .sum = 0.25});
  EXPECT_EQ(page.text(),
            "# HELP um_query_seconds Calls.\n"
            "# TYPE um_query_seconds histogram\n"
            "um_query_seconds_count{query=\"find\"} 8\n"
            "um_query_seconds_sum{query=\"find\"} 0.25\n"
            "um_query_seconds_bucket{query=\"find\",le=\"0.001\"} 5\n"
            "um_query_seconds_bucket{query=\"find\",le=\"0.01\"} 7\n"
            "um_query_seconds_bucket{query=\"find\",le=\"+Inf\"} 8\n");
}

TEST(MetricsPage, LargeCountersKeepTheirDigits) {
  MetricsPage page;
  page.counter({"um_x_total", "X."}, {}, 9'007'199'254'740'991.0);
  EXPECT_NE(page.text().find("um_x_total 9007199254740991\n"), std::string::npos) << page.text();
}

TEST(MetricsPage, LabelValuesCannotForgeLines) {
  MetricsPage page;
  page.gauge({"um_x", "X."}, {{"route", "a\"} 1\num_forged 2\\"}}, 1);
  EXPECT_NE(page.text().find("um_x{route=\"a\\\"} 1\\num_forged 2\\\\\"} 1\n"), std::string::npos)
      << page.text();
}

template <class Number>
struct QueueNumbers {
  Number taken{};
  Number internal{};
  Number waiting{};
  std::array<Number, 3> ended{};

  static constexpr auto table() {
    using N = QueueNumbers;
    return std::tuple{count_of(&N::taken, {"takes_total", "Takes"}), count_of(&N::internal),
                      level_of(&N::waiting, {"queue_length", "Calls that wait"}, {"queue", "q"}),
                      counts_of(&N::ended, {"ends_total", "Ends"}, "how", {"", "late", "lost"})};
  }
};

TEST(MetricsPage, ATableOfCountersIsPublished) {
  MetricsPage page;
  page.add(QueueNumbers<std::uint64_t>{.taken = 3, .waiting = 2, .ended = {1, 0, 5}},
           {"kind", "user"});
  EXPECT_EQ(page.text(),
            "# HELP user_manager_takes_total Takes\n"
            "# TYPE user_manager_takes_total counter\n"
            "user_manager_takes_total{kind=\"user\"} 3\n"
            "# HELP user_manager_queue_length Calls that wait\n"
            "# TYPE user_manager_queue_length gauge\n"
            "user_manager_queue_length{kind=\"user\",queue=\"q\"} 2\n"
            "# HELP user_manager_ends_total Ends\n"
            "# TYPE user_manager_ends_total counter\n"
            "user_manager_ends_total{kind=\"user\",how=\"late\"} 0\n"
            "user_manager_ends_total{kind=\"user\",how=\"lost\"} 5\n");
}

TEST(MetricsPage, MistakesAreExceptions) {
  MetricsPage page;
  page.counter({"um_x_total", "X."}, {{"a", "1"}}, 1);
  EXPECT_THROW(page.counter({"um_x_total", "X."}, {{"a", "1"}}, 2), std::logic_error);
  EXPECT_THROW(page.gauge({"um_x_total", "X."}, {{"a", "2"}}, 2), std::logic_error);
  EXPECT_THROW(page.counter({"um x", "X."}, {}, 2), std::logic_error);
  EXPECT_THROW(page.counter({"1um", "X."}, {}, 2), std::logic_error);
  EXPECT_THROW(page.counter({"um_y", "Y."}, {{"le", "1"}}, 2), std::logic_error);
  EXPECT_THROW(page.counter({"um_z", "Z."}, {{"a b", "1"}}, 2), std::logic_error);
  const std::array bounds{0.1, 0.2};
  const std::array<std::uint64_t, 2> too_few{1, 2};
  EXPECT_THROW(page.histogram({"um_h", "H."}, {}, {.upper_bounds = bounds, .counts = too_few}),
               std::logic_error);
}

}  // namespace
}  // namespace um
