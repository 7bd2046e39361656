#include "telemetry/log_limiter.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace um {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class Lines final : public Logger {
 public:
  bool enabled(LogLevel level) const override { return level >= lowest; }
  void write(LogLevel, std::string_view message, std::span<const LogField> fields) override {
    std::string line{message};
    for (const LogField& field : fields) {
      line += ' ';
      if (const auto* text = std::get_if<std::string_view>(&field.value)) line += *text;
      if (const auto* n = std::get_if<std::uint64_t>(&field.value)) line += std::to_string(*n);
    }
    all.push_back(std::move(line));
  }
  std::vector<std::string> take() { return std::exchange(all, {}); }

  LogLevel lowest = LogLevel::info;
  std::vector<std::string> all;
};

class LogLimiterTest : public ::testing::Test {
 protected:
  void fail(std::string_view route, unsigned status = 503) {
    log_.warn("request failed", {{"route", route}, {"status", status}});
  }

  ManualClock clock_;
  Lines lines_;
  LogLimiter log_{lines_, clock_, {.lines = 2, .kinds = 4}};
};

TEST_F(LogLimiterTest, TheFirstOfASecondAreWrittenAndTheOthersCounted) {
  for (int i = 0; i < 5; ++i) fail("get_user");
  EXPECT_THAT(lines_.take(),
              ElementsAre("request failed get_user 503", "request failed get_user 503"));
  log_.tell_left_out();
  EXPECT_THAT(lines_.all, IsEmpty());
  clock_.advance(1s);
  log_.tell_left_out();
  EXPECT_THAT(
      lines_.take(),
      ElementsAre("more lines like the last ones were left out request failed get_user 503 3"));
  log_.tell_left_out();
  EXPECT_THAT(lines_.all, IsEmpty());
}

TEST_F(LogLimiterTest, TheNextSecondBeginsWithWhatWasLeftOut) {
  for (int i = 0; i < 3; ++i) fail("get_user");
  lines_.take();
  clock_.advance(1s);
  fail("get_user");
  EXPECT_THAT(
      lines_.take(),
      ElementsAre("more lines like the last ones were left out request failed get_user 503 1",
                  "request failed get_user 503"));
}

TEST_F(LogLimiterTest, AnotherRouteStatusOrMessageIsAnotherKind) {
  for (int i = 0; i < 2; ++i) fail("get_user");
  lines_.take();
  fail("get_user");
  fail("put_user");
  fail("get_user", 500);
  log_.warn("housekeeping failed");
  EXPECT_THAT(lines_.take(), ElementsAre("request failed put_user 503",
                                         "request failed get_user 500", "housekeeping failed"));
}

TEST_F(LogLimiterTest, OnlyWarningsAndErrorsAreLimited) {
  for (int i = 0; i < 5; ++i) log_.info("listening");
  EXPECT_THAT(lines_.take(), SizeIs(5));
  for (int i = 0; i < 5; ++i) log_.error("http server");
  EXPECT_THAT(lines_.take(), SizeIs(2));
}

TEST_F(LogLimiterTest, WhoWantsDebugLinesGetsAll) {
  lines_.lowest = LogLevel::debug;
  for (int i = 0; i < 5; ++i) fail("get_user");
  EXPECT_THAT(lines_.take(), SizeIs(5));
}

TEST_F(LogLimiterTest, KindsBeyondTheLimitShareOneAllowance) {
  for (unsigned status = 500; status < 600; ++status) fail("get_user", status);
  EXPECT_THAT(lines_.take(), SizeIs(4 + 2));
  // Those that are over make room.
  clock_.advance(1s);
  log_.tell_left_out();
  EXPECT_THAT(lines_.take(),
              ElementsAre("more lines like the last ones were left out lines of many kinds  0 94"));
  fail("get_user", 599);
  EXPECT_THAT(lines_.take(), ElementsAre("request failed get_user 599"));
}

TEST(LogLimiterEnd, TellsWhatWasLeftOutLast) {
  ManualClock clock;
  Lines lines;
  {
    LogLimiter log{lines, clock, {.lines = 0}};
    log.warn("request failed");
  }
  EXPECT_THAT(lines.all,
              ElementsAre("more lines like the last ones were left out request failed  0 1"));
}

}  // namespace
}  // namespace um
