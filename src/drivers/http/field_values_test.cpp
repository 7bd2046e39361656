#include "drivers/http/field_values.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace um::http {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// The tags as they are written, so that a comparison of lists shows strength and order.
std::vector<std::string> written(const EntityTagList& list) {
  std::vector<std::string> texts;
  for (const EntityTag& tag : list.tags()) {
    texts.push_back((tag.weak ? "W/" : "") + std::string{tag.opaque});
  }
  return texts;
}

TEST(EntityTagList, TagsComeInTheirOrderWithTheirStrength) {
  const auto list = parse_entity_tags(R"(W/"1", "2" , "")");
  ASSERT_TRUE(list);
  EXPECT_THAT(written(*list), ElementsAre("W/1", "2", ""));
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
  EXPECT_TRUE(list->matches_weakly("x"));
  EXPECT_THAT(list->tags(), IsEmpty());
}

TEST(EntityTagList, EmptyMembersAreSkippedAndCommasBelongToTags) {
  const auto list = parse_entity_tags(R"(, "a,b",, "c" ,)");
  ASSERT_TRUE(list);
  EXPECT_THAT(written(*list), ElementsAre("a,b", "c"));
  EXPECT_TRUE(list->matches_weakly("a,b"));
  EXPECT_FALSE(list->matches_weakly("a"));
}

TEST(EntityTagList, MalformedListsAreRefused) {
  for (const char* field : {"", " ", ",", "abc", "\"a", "a\"", "\"a\" \"b\"", "\"a\"b", "w/\"a\"",
                            "W/ \"a\"", "W/", "*, \"a\"", "\"a\", *", "\"a b\"", "'a'"}) {
    EXPECT_FALSE(parse_entity_tags(field)) << field;
  }
}

TEST(JsonContentType, IsAcceptedWithAtMostCharsetUtf8) {
  for (const char* type : {"application/json", "Application/JSON", "application/json;charset=utf-8",
                           "application/json ; charset=UTF-8",
                           "application/json; charset=\"utf-8\"", "application/json;"}) {
    EXPECT_TRUE(is_json_content_type(type)) << type;
  }
}

TEST(JsonContentType, EverythingElseIsNot) {
  for (const char* type : {"", "text/json", "application/jsonp", "application/json-patch+json",
                           "application/problem+json", "application/json; charset=latin1",
                           "application/json; charset=utf-8; x=y", "application/json, text/plain",
                           "application/json charset=utf-8", "application/json; charset = utf-8"}) {
    EXPECT_FALSE(is_json_content_type(type)) << type;
  }
}

}  // namespace
}  // namespace um::http
