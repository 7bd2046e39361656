#include "user/time_text.hpp"

#include <gtest/gtest.h>

namespace um {
namespace {

using namespace std::chrono_literals;

WallTime at(std::int64_t micros) {
  return WallTime{std::chrono::microseconds{micros}};
}

TEST(TimeText, WritesAsManyDecimalsAsNeeded) {
  EXPECT_EQ(time_text(at(0)), "1970-01-01T00:00:00Z");
  EXPECT_EQ(time_text(at(1'795'311'329'123'456)), "2026-11-22T01:35:29.123456Z");
  EXPECT_EQ(time_text(at(500'000)), "1970-01-01T00:00:00.5Z");
  EXPECT_EQ(time_text(at(1)), "1970-01-01T00:00:00.000001Z");
  EXPECT_EQ(time_text(at(-1)), "1969-12-31T23:59:59.999999Z");
}

TEST(TimeText, ParsesWhatItWrites) {
  for (const std::int64_t micros :
       {std::int64_t{0}, std::int64_t{-1}, std::int64_t{1'795'311'329'123'456},
        std::int64_t{951'782'400'000'000}, std::int64_t{-62'135'596'800'000'000}}) {
    EXPECT_EQ(parse_time(time_text(at(micros))), at(micros)) << micros;
  }
}

TEST(TimeText, MomentsRfc3339CannotWriteBecomeTheNearest) {
  EXPECT_EQ(time_text(WallTime::max()), "9999-12-31T23:59:59.999999Z");
  EXPECT_EQ(time_text(WallTime::min()), "0000-01-01T00:00:00Z");
}

TEST(TimeText, EveryOffsetNamesTheSameInstant) {
  const WallTime expected = *parse_time("2026-11-22T01:35:29.123456Z");
  for (const char* text : {"2026-11-22t01:35:29.123456z", "2026-11-22T01:35:29.123456+00:00",
                           "2026-11-22T01:35:29.123456-00:00", "2026-11-22T09:35:29.123456+08:00",
                           "2026-11-21T20:05:29.123456-05:30", "2026-11-22T01:35:29.1234560Z",
                           "2026-11-22T01:35:29.123456789Z"}) {
    EXPECT_EQ(parse_time(text), expected) << text;
  }
  EXPECT_EQ(parse_time("2026-11-22T01:35:29.5Z"), parse_time("2026-11-22T01:35:29.500Z"));
}

TEST(TimeText, WhatIsNotRfc3339IsRefused) {
  using namespace std::string_literals;
  for (const std::string& text : {""s,
                                  "2026-11-22"s,
                                  "2026-11-22T01:35:29"s,
                                  "2026-11-22 01:35:29Z"s,
                                  "2026-11-22T01:35Z"s,
                                  "2026-11-22T01:35:29.Z"s,
                                  "2026-11-22T01:35:29.1234567890Z"s,
                                  "2026-13-01T00:00:00Z"s,
                                  "2026-00-01T00:00:00Z"s,
                                  "2026-02-29T00:00:00Z"s,
                                  "2026-11-31T00:00:00Z"s,
                                  "2026-11-22T24:00:00Z"s,
                                  "2026-11-22T23:60:00Z"s,
                                  "2026-11-22T23:59:60Z"s,
                                  "2026-11-22T01:35:29+24:00"s,
                                  "2026-11-22T01:35:29+0800"s,
                                  "2026-11-22T01:35:29+08"s,
                                  "2026-11-22T01:35:29Zx"s,
                                  " 2026-11-22T01:35:29Z"s,
                                  "+026-11-22T01:35:29Z"s,
                                  "20260-11-22T01:35:29Z"s,
                                  "2026-1-22T01:35:29Z"s,
                                  "0000-01-01T00:00:00+01:00"s,
                                  "9999-12-31T23:59:59-00:01"s,
                                  "2026-11-22T01:35:29,5Z"s,
                                  "2026-11-22T01:35:29Z\0"s}) {
    EXPECT_FALSE(parse_time(text)) << testing::PrintToString(text);
  }
}

TEST(TimeText, LeapDaysExistWhereTheCalendarHasThem) {
  EXPECT_TRUE(parse_time("2000-02-29T00:00:00Z"));
  EXPECT_TRUE(parse_time("2028-02-29T00:00:00Z"));
  EXPECT_FALSE(parse_time("1900-02-29T00:00:00Z"));
}

}  // namespace
}  // namespace um
