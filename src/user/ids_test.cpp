#include <gtest/gtest.h>

#include "user/session.hpp"
#include "user/user_id.hpp"

namespace um {
namespace {

TEST(UserId, IsAPositiveNumber) {
  EXPECT_EQ(UserId::from(42)->value(), 42);
  EXPECT_FALSE(UserId::from(0));
  EXPECT_FALSE(UserId::from(-1));
  EXPECT_EQ(UserId::parse("9223372036854775807")->text(), "9223372036854775807");
}

TEST(UserId, TextThatIsNotPlainDigitsIsRefused) {
  using namespace std::string_literals;
  for (const std::string& text :
       {""s, "0"s, "-1"s, "+1"s, "01"s, " 1"s, "1 "s, "1e3"s, "0x1"s, "1.0"s, "1\0"s, "abc"s,
        "9223372036854775808"s, "9999999999999999999"s, "18446744073709551617"s, "٣"s}) {
    EXPECT_FALSE(UserId::parse(text)) << testing::PrintToString(text);
  }
}

TEST(SessionId, SurvivesItsText) {
  const SessionId id = SessionId::random();
  EXPECT_EQ(id.text().size(), SessionId::kTextLength);
  EXPECT_EQ(SessionId::parse(id.text()), id);
  EXPECT_NE(SessionId::random(), id);
}

TEST(SessionId, TextThatIsNotLowerCaseHexIsRefused) {
  const std::string good(SessionId::kTextLength, 'a');
  EXPECT_TRUE(SessionId::parse(good));
  for (const std::string& text : {std::string{}, good.substr(1), good + "a", "A" + good.substr(1),
                                  "g" + good.substr(1), " " + good.substr(1)}) {
    EXPECT_FALSE(SessionId::parse(text)) << text;
  }
}

}  // namespace
}  // namespace um
