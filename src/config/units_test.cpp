#include "config/units.hpp"

#include <gtest/gtest.h>

namespace um {
namespace {

using namespace std::chrono_literals;

TEST(Units, DurationsAreANumberAndAUnit) {
  EXPECT_EQ(parse_duration("500ms"), 500ms);
  EXPECT_EQ(parse_duration("1s"), 1s);
  EXPECT_EQ(parse_duration("5min"), 5min);
  EXPECT_EQ(parse_duration("5 min"), 5min);
  EXPECT_EQ(parse_duration("24h"), 24h);
  EXPECT_EQ(parse_duration("90d"), 24h * 90);
  EXPECT_EQ(parse_duration("0s"), 0s);
}

TEST(Units, WhatIsNoDurationIsRefused) {
  for (const char* text : {"", "5", "min", "5m", "5 ", "5  min", " 5min", "5min ", "-5min", "+5min",
                           "5.5s", "1e3s", "5MIN", "0x5s", "5min3s", "99999999999999999999s",
                           "18446744073709551615d", "9223372036854775808ms"}) {
    EXPECT_EQ(parse_duration(text), std::nullopt) << text;
  }
}

TEST(Units, DurationsAreWrittenInTheLargestExactUnit) {
  EXPECT_EQ(format_duration(0ms), "0s");
  EXPECT_EQ(format_duration(500ms), "500ms");
  EXPECT_EQ(format_duration(90s), "90s");
  EXPECT_EQ(format_duration(5min), "5min");
  EXPECT_EQ(format_duration(24h), "24h");
  EXPECT_EQ(format_duration(48h), "2d");
  EXPECT_EQ(format_duration(25h), "25h");
}

TEST(Units, BytesAreANumberAndAUnit) {
  EXPECT_EQ(parse_bytes("256MiB"), 256ULL << 20U);
  EXPECT_EQ(parse_bytes("1 GiB"), 1ULL << 30U);
  EXPECT_EQ(parse_bytes("1kB"), 1000U);
  EXPECT_EQ(parse_bytes("2MB"), 2'000'000U);
  EXPECT_EQ(parse_bytes("7B"), 7U);
}

TEST(Units, WhatIsNoSizeIsRefused) {
  for (const char* text : {"", "256", "MiB", "1.5GiB", "-1MiB", "1mib", "1K", "16777216TiB"}) {
    EXPECT_EQ(parse_bytes(text), std::nullopt) << text;
  }
}

TEST(Units, BytesAreWrittenInTheLargestExactUnit) {
  EXPECT_EQ(format_bytes(0), "0B");
  EXPECT_EQ(format_bytes(256ULL << 20U), "256MiB");
  EXPECT_EQ(format_bytes(1025), "1025B");
  EXPECT_EQ(format_bytes(1536), "1536B");
  EXPECT_EQ(format_bytes(3ULL << 40U), "3TiB");
}

TEST(Units, WholeNumbersHaveDigitsOnly) {
  EXPECT_EQ(parse_whole_number("10000"), 10'000U);
  for (const char* text : {"", "-1", "+1", "1e3", "10,000", " 1", "1 ", "18446744073709551616"}) {
    EXPECT_EQ(parse_whole_number(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace um
