#include "user/email.hpp"

#include <gtest/gtest.h>

namespace um {
namespace {

TEST(Email, KeepsWhatWasWrittenAndComparesWithoutCase) {
  const auto written = Email::parse("Ada.Lovelace@Example.ORG");
  ASSERT_TRUE(written);
  EXPECT_EQ(written->text(), "Ada.Lovelace@Example.ORG");
  EXPECT_EQ(written->folded(), "ada.lovelace@example.org");
  EXPECT_EQ(*written, *Email::parse("ADA.lovelace@example.org"));
  EXPECT_FALSE(*written == *Email::parse("ada@example.org"));
}

TEST(Email, OnlyAsciiIsFolded) {
  EXPECT_EQ(Email::parse("ÄNNE@Straße.DE")->folded(), "Änne@straße.de");
  EXPECT_EQ(fold_ascii("[@`{AZaz\xC3\x84"), "[@`{azaz\xC3\x84");
}

TEST(Email, AddressesOfEveryScriptAreTaken) {
  for (const char* text :
       {"a@b", "志明@例子.中国", "иван@почта.рф", "a+tag@b.c", "'q'@x", "=1@x"}) {
    EXPECT_TRUE(Email::parse(text)) << text;
  }
}

TEST(Email, TheLengthIsBoundedInBytes) {
  EXPECT_TRUE(Email::parse(std::string(252, 'a') + "@b"));
  EXPECT_FALSE(Email::parse(std::string(253, 'a') + "@b"));
  std::string wide;
  for (int i = 0; i < 84; ++i) wide += "志";
  EXPECT_TRUE(Email::parse(wide + "@b"));
  EXPECT_FALSE(Email::parse(wide + "a@b"));
}

TEST(Email, WhatIsNotAnAddressIsRefused) {
  using namespace std::string_literals;
  for (const std::string& text : {""s,
                                  "@"s,
                                  "a"s,
                                  "a@"s,
                                  "@b"s,
                                  "a@b@c"s,
                                  "a b@c"s,
                                  " a@b"s,
                                  "a@b "s,
                                  "a@b\n"s,
                                  "a\t@b"s,
                                  "a\0@b"s,
                                  "a\x7F@b"s,
                                  "a\xC2\x85@b"s,
                                  "a\xC2\xA0@b"s,
                                  "a\xE2\x80\xA8@b"s,
                                  "a\xE3\x80\x80@b"s,
                                  "a\xFF@b"s,
                                  "a\xC0\x80@b"s,
                                  "a\xED\xA0\x80@b"s,
                                  "a@b\xC3"s}) {
    EXPECT_FALSE(Email::parse(text)) << testing::PrintToString(text);
  }
}

}  // namespace
}  // namespace um
