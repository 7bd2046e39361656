#include "drivers/http/entity_tag.hpp"

#include <gtest/gtest.h>

namespace um::http {
namespace {

TEST(EntityTagList, StrongComparisonIgnoresWeakTags) {
  const auto list = parse_entity_tags(R"(W/"1", "2")");
  ASSERT_TRUE(list);
  EXPECT_FALSE(list->matches_strongly("1"));
  EXPECT_TRUE(list->matches_strongly("2"));
  EXPECT_FALSE(list->matches_strongly("3"));
}

TEST(EntityTagList, WeakComparisonTakesBoth) {
  const auto list = parse_entity_tags(R"(W/"1" ,"2")");
  ASSERT_TRUE(list);
  EXPECT_TRUE(list->matches_weakly("1"));
  EXPECT_TRUE(list->matches_weakly("2"));
  EXPECT_FALSE(list->matches_weakly("12"));
}

TEST(EntityTagList, AStarMatchesEverything) {
  const auto list = parse_entity_tags(" * ");
  ASSERT_TRUE(list);
  EXPECT_TRUE(list->any());
  EXPECT_TRUE(list->matches_strongly("x"));
  EXPECT_TRUE(list->matches_weakly("x"));
}

TEST(EntityTagList, EmptyMembersAreSkippedAndCommasBelongToTags) {
  const auto list = parse_entity_tags(R"(, "a,b",, "c" ,)");
  ASSERT_TRUE(list);
  EXPECT_TRUE(list->matches_strongly("a,b"));
  EXPECT_TRUE(list->matches_strongly("c"));
  EXPECT_FALSE(list->matches_strongly("a"));
}

TEST(EntityTagList, MalformedListsAreRefused) {
  for (const char* field : {"", " ", ",", "abc", "\"a", "a\"", "\"a\" \"b\"", "\"a\"b", "w/\"a\"",
                            "W/ \"a\"", "W/", "*, \"a\"", "\"a\", *", "\"a b\"", "'a'"}) {
    EXPECT_FALSE(parse_entity_tags(field)) << field;
  }
}

TEST(EntityTag, OneTagIsParsedWithItsStrength) {
  EXPECT_EQ(parse_entity_tag("\"\"")->opaque, "");
  EXPECT_FALSE(parse_entity_tag("\"7\"")->weak);
  EXPECT_TRUE(parse_entity_tag("W/\"7\"")->weak);
  EXPECT_EQ(parse_entity_tag("W/\"7\"")->opaque, "7");
  EXPECT_FALSE(parse_entity_tag("\"7\" "));
  EXPECT_FALSE(parse_entity_tag("\"7\",\"8\""));
}

}  // namespace
}  // namespace um::http
