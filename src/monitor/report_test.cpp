#include "monitor/report.hpp"

#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.hpp"

namespace um {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;

class ReportTest : public ::testing::Test {
 protected:
  Report make(bool json = false) {
    return Report{{.clock = clock_, .out = out_, .json = json}, {"http://one", "http://two"}};
  }
  std::string taken() {
    std::string text = out_.str();
    out_.str({});
    return text;
  }
  static void fill(Report& report) {
    for (int i = 0; i < 99; ++i) report.read(0, 1ms);
    report.read(1, 100ms);
    report.written(0);
    report.broken(1, "user 7", {.kind = Verdict::Kind::broken, .age = 1500ms, .reason = "why"});
    report.error(1, "503 unavailable");
  }
  ManualClock clock_;
  std::ostringstream out_;
};

TEST_F(ReportTest, ABrokenReadIsToldAtOnceWithInstanceAndAge) {
  auto report = make();
  fill(report);
  EXPECT_EQ(taken(), "2023-11-14T22:13:21Z BROKEN http://two user 7: why (for 1.500 s)\n");
}

TEST_F(ReportTest, AnIntervalIsOneLineThatSumsUp) {
  auto report = make();
  fill(report);
  taken();
  clock_.advance(60s);
  report.end_interval();
  const std::string line = taken();
  EXPECT_THAT(line,
              HasSubstr("interval of 60 s: reads 100, broken 1 (1.0000 %), writes 1, errors 1"));
  EXPECT_THAT(line, HasSubstr("greatest age 1.500 s"));
  EXPECT_THAT(line, HasSubstr("http://two: errors 1 (503 unavailable)"));
  report.end_interval();
  EXPECT_THAT(taken(),
              HasSubstr("interval of 0 s: reads 0, broken 0 (0.0000 %), writes 0, errors 0"));
  report.end();
  EXPECT_THAT(taken(), HasSubstr("summary of 60 s: reads 100, broken 1"));
}

TEST_F(ReportTest, ManyBrokenReadsAreCountedAndNotAllTold) {
  auto report = make();
  for (std::uint64_t i = 0; i < Report::kMostLines + 5; ++i)
    report.broken(0, "user 7", {.kind = Verdict::Kind::broken});
  const std::string text = taken();
  EXPECT_EQ(static_cast<std::uint64_t>(std::ranges::count(text, '\n')), Report::kMostLines);
  report.end_interval();
  EXPECT_THAT(taken(), HasSubstr("; 5 broken reads without a line"));
}

TEST_F(ReportTest, EachLineOfTheJsonFormIsAnObject) {
  auto report = make(true);
  fill(report);
  report.end_interval();
  report.end();
  std::istringstream lines{taken()};
  std::vector<std::string> events;
  for (std::string line; std::getline(lines, line);) {
    const auto json = read_json(line);
    ASSERT_TRUE(json) << line;
    events.push_back(*json->find_string("event"));
    if (events.back() != "summary") continue;
    EXPECT_EQ(json->find("number")->integer(), 1) << "intervals";
    EXPECT_EQ(json->find("broken")->integer(), 1);
    EXPECT_EQ(json->find("instances")->items.at(1).find("errors")->integer(), 1);
    EXPECT_EQ(json->find("instances")->items.at(1).find("greatest_age_seconds")->text, "1.5");
  }
  EXPECT_THAT(events, ::testing::ElementsAre("broken", "interval", "summary"));
}

TEST_F(ReportTest, MetricsAreCountedFromTheBeginning) {
  auto report = make();
  fill(report);
  report.end_interval();
  const std::string page = report.metrics();
  for (const char* line : {"user_manager_monitor_reads_total{instance=\"http://one\"} 99",
                           "user_manager_monitor_writes_total{instance=\"http://one\"} 1",
                           "user_manager_monitor_broken_reads_total{instance=\"http://two\"} 1",
                           "user_manager_monitor_errors_total{instance=\"http://two\"} 1",
                           "user_manager_monitor_broken_age_seconds{instance=\"http://two\"} 1.5",
                           "user_manager_monitor_up{instance=\"http://one\"} 1",
                           "user_manager_monitor_up{instance=\"http://two\"} 0"})
    EXPECT_THAT(page, HasSubstr(line));
}

TEST(Durations, AQuantileIsAtMostAQuarterTooLarge) {
  Durations durations;
  EXPECT_EQ(durations.quantile(0.5), 0ns);
  for (int i = 0; i < 99; ++i) durations.add(1ms);
  durations.add(2s);
  EXPECT_GE(durations.quantile(0.5), 1ms);
  EXPECT_LE(durations.quantile(0.5), 1250us);
  EXPECT_LE(durations.quantile(0.99), 1250us);
  EXPECT_GE(durations.quantile(1), 2s);
  EXPECT_LE(durations.quantile(1), 2500ms);
}

}  // namespace
}  // namespace um
