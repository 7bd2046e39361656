#include "user/money.hpp"

#include <gtest/gtest.h>

namespace um {
namespace {

TEST(Usd, ParsesEveryDecimalExactly) {
  struct Case {
    const char* text;
    std::int64_t micros;
  };
  for (const auto& [text, micros] : {Case{"0", 0},
                                     {"-0", 0},
                                     {"12", 12'000'000},
                                     {"0.0123", 12'300},
                                     {"-0.5", -500'000},
                                     {"-1", -1'000'000},
                                     {"0.000001", 1},
                                     {"-0.000001", -1},
                                     {"1.500000", 1'500'000},
                                     {"0.100000", 100'000},
                                     {"9000000000", Usd::kMaxMicros},
                                     {"-9000000000", -Usd::kMaxMicros},
                                     {"8999999999.999999", Usd::kMaxMicros - 1}}) {
    const auto usd = Usd::parse(text);
    ASSERT_TRUE(usd) << text;
    EXPECT_EQ(usd->micros(), micros) << text;
  }
}

TEST(Usd, RefusesWhatIsNotAPlainDecimal) {
  using namespace std::string_literals;
  for (const std::string& text : {""s,
                                  "-"s,
                                  "+1"s,
                                  " 1"s,
                                  "1 "s,
                                  "1."s,
                                  ".5"s,
                                  "-.5"s,
                                  "1e2"s,
                                  "1E2"s,
                                  "1.5e2"s,
                                  "0x1"s,
                                  "01"s,
                                  "00"s,
                                  "-01"s,
                                  "1,5"s,
                                  "1_000"s,
                                  "1.0000000"s,
                                  "0.0000001"s,
                                  "NaN"s,
                                  "Infinity"s,
                                  "--1"s,
                                  "1.2.3"s,
                                  "1\0"s,
                                  "٣"s,
                                  "9000000000.000001"s,
                                  "-9000000000.000001"s,
                                  "9000000001"s,
                                  "18446744073709551616"s,
                                  "99999999999999999999999999999999"s}) {
    EXPECT_FALSE(Usd::parse(text)) << testing::PrintToString(text);
  }
}

TEST(Usd, WritesTheShortestExactDecimal) {
  for (const char* text : {"0", "12", "0.0123", "-0.5", "-0.000001", "0.1", "100", "1000000.01",
                           "9000000000", "-8999999999.999999"}) {
    EXPECT_EQ(Usd::parse(text)->text(), text);
  }
  EXPECT_EQ(Usd::parse("1.500000")->text(), "1.5");
  EXPECT_EQ(Usd::parse("-0")->text(), "0");
}

TEST(Usd, SumsStayWithinTheBound) {
  const Usd most = *Usd::from_micros(Usd::kMaxMicros);
  const Usd least = *Usd::parse("0.000001");
  EXPECT_FALSE(most.plus(least));
  EXPECT_EQ(most.plus(Usd{}), most);
  EXPECT_EQ(Usd::parse("0.1")->plus(*Usd::parse("0.2")), Usd::parse("0.3"));
  EXPECT_FALSE(Usd::from_micros(Usd::kMaxMicros + 1));
  EXPECT_FALSE(Usd::from_micros(std::numeric_limits<std::int64_t>::min()));
}

TEST(Usd, IsOrderedByAmount) {
  EXPECT_LT(*Usd::parse("-1"), *Usd::parse("0.000001"));
  EXPECT_TRUE(Usd::parse("-0.000001")->negative());
  EXPECT_FALSE(Usd{}.negative());
}

}  // namespace
}  // namespace um
