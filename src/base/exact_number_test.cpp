#include "base/exact_number.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace um {
namespace {

TEST(ExactNumber, OneValueHasOneForm) {
  for (const auto& same : std::vector<std::vector<std::string>>{
           {"1", "1.0", "1e0", "10e-1", "0.1e1", "1E+0", "0.01e2"},
           {"0", "-0", "0.00", "0e5", "-0.0e-3", "0e999999999999999"},
           {"-120", "-1.2e2", "-0.12E3", "-12e+01"},
           {"18446744073709551616", "1.8446744073709551616e19"}}) {
    for (const std::string& number : same) {
      ASSERT_TRUE(ExactNumber::read(number)) << number;
      EXPECT_EQ(ExactNumber::read(number), ExactNumber::read(same.front())) << number;
    }
  }
}

TEST(ExactNumber, NoDigitIsLost) {
  for (const auto& [one, other] :
       std::vector<std::pair<const char*, const char*>>{{"1", "1.0000000000000001"},
                                                        {"9007199254740992", "9007199254740993"},
                                                        {"1", "-1"},
                                                        {"1e308", "1.00000000000000000001e308"},
                                                        {"1e-400", "1e-401"},
                                                        {"1e-400", "0"}}) {
    EXPECT_NE(ExactNumber::read(one), ExactNumber::read(other)) << one << " " << other;
  }
}

TEST(ExactNumber, WhatIsNoNumberIsRefused) {
  for (const char* text : {"", "-", "e5", "1e", "1e+", "1e-", ".5", "1.", "1.e1", "1 ", " 1", "+1",
                           "1e1.5", "1e--1", "1e1000000000000000", "abc", "1x", "0x1"}) {
    EXPECT_FALSE(ExactNumber::read(text)) << text;
  }
}

TEST(PlainDecimal, WritesTheExponentOut) {
  struct Case {
    const char* number;
    const char* plain;
  };
  for (const auto& [number, plain] : {Case{"1e-05", "0.00001"},
                                      {"1E-6", "0.000001"},
                                      {"1.50e+2", "150"},
                                      {"12.345e1", "123.45"},
                                      {"12.345e3", "12345"},
                                      {"-2.5e-1", "-0.25"},
                                      {"120e-1", "12"},
                                      {"0.0120e2", "1.2"},
                                      {"1e0", "1"},
                                      {"0e5", "0"},
                                      {"-0.0e-3", "0"},
                                      {"9e9", "9000000000"},
                                      {"1e-7", "0.0000001"}}) {
    EXPECT_EQ(plain_decimal(number), plain) << number;
  }
}

TEST(PlainDecimal, RefusesWhatHasNoExponentOrIsFarAway) {
  for (const char* text : {"", "1", "0.5", "e5", "1e", "1e+", "1e-", ".5e1", "1.e1", "1e5 ",
                           "1e1.5", "1e300", "1e-300", "1e99999", "abc", "1e--1", "+1e1",
                           "1.2345678901234567890123456789012345678901e1"}) {
    EXPECT_FALSE(plain_decimal(text)) << text;
  }
}

}  // namespace
}  // namespace um
