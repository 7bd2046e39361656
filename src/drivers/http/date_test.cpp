#include "drivers/http/date.hpp"

#include <gtest/gtest.h>

namespace um::http {
namespace {

using namespace std::chrono_literals;

TEST(Date, IsWrittenAsHttpWantsIt) {
  EXPECT_EQ(format_date(std::chrono::sys_seconds{784'111'777s}), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(format_date(std::chrono::sys_seconds{0s}), "Thu, 01 Jan 1970 00:00:00 GMT");
  EXPECT_EQ(format_date(std::chrono::sys_seconds{1'709'251'199s}), "Thu, 29 Feb 2024 23:59:59 GMT");
}

TEST(DateLine, ChangesExactlyWithTheSecond) {
  ManualClock clock{WallTime{784'111'777s + 250ms}};
  DateLine date{clock};
  EXPECT_EQ(date.at(clock.now()), "Date: Sun, 06 Nov 1994 08:49:38 GMT\r\n");
  clock.advance(749ms);
  EXPECT_EQ(date.at(clock.now()), "Date: Sun, 06 Nov 1994 08:49:38 GMT\r\n");
  clock.advance(1ms);
  EXPECT_EQ(date.at(clock.now()), "Date: Sun, 06 Nov 1994 08:49:39 GMT\r\n");
}

}  // namespace
}  // namespace um::http
