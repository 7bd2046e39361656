#include "drivers/http/query.hpp"

#include <gtest/gtest.h>

namespace um::http {
namespace {

using Parameters = std::vector<QueryParameter>;

Parameters parsed(std::string_view raw) {
  const auto query = parse_query(raw);
  return query ? query->parameters() : Parameters{{"refused", query.error().detail}};
}

TEST(Query, NamesAndValuesAreDecodedInOrder) {
  EXPECT_EQ(parsed("page=2&per_page=10"), (Parameters{{"page", "2"}, {"per_page", "10"}}));
  EXPECT_EQ(parsed("keyword=J%C3%B6rg+M%2Bx"), (Parameters{{"keyword", "Jörg M+x"}}));
  EXPECT_EQ(parsed("a%3Db=c=d"), (Parameters{{"a=b", "c=d"}}));
}

TEST(Query, EmptyPiecesAreSkippedAndEmptyValuesKept) {
  EXPECT_EQ(parsed(""), Parameters{});
  EXPECT_EQ(parsed("&&a&b=&"), (Parameters{{"a", ""}, {"b", ""}}));
}

TEST(Query, RepeatedParametersAreVisible) {
  const auto query = parse_query("page=1&page=2&x=3");
  ASSERT_TRUE(query);
  EXPECT_EQ(query->count("page"), 2U);
  EXPECT_EQ(query->find("page"), "1");
  EXPECT_EQ(query->count("none"), 0U);
  EXPECT_EQ(query->find("none"), std::nullopt);
}

TEST(Query, AParameterWithBadEncodingIsNamed) {
  for (const char* raw : {"k=%", "k=%4", "k=%zz", "k=%4g", "k=%C3", "k=%C3%28", "k=%ED%A0%80",
                          "k=%C0%AF", "k=%F4%90%80%80", "k=%FF", "k=%00"}) {
    const auto query = parse_query(raw);
    ASSERT_FALSE(query) << raw;
    EXPECT_EQ(query.error().code, ErrorCode::invalid);
    ASSERT_EQ(query.error().fields.size(), 1U) << raw;
    EXPECT_EQ(query.error().fields[0].field, "k");
  }
}

TEST(Query, BadNamesAreRefused) {
  for (const char* raw : {"=1", "%FF=1", "%=1", "a=1&=2", "%00=1"}) {
    EXPECT_FALSE(parse_query(raw)) << raw;
  }
}

TEST(Query, TheNumberOfParametersIsBounded) {
  std::string raw;
  for (std::size_t i = 0; i < Query::kMaxParameters; ++i) raw += "a=1&";
  EXPECT_TRUE(parse_query(raw));
  EXPECT_FALSE(parse_query(raw + "a=1"));
}

TEST(PathSegment, IsDecodedButAPlusStaysAPlus) {
  EXPECT_EQ(decode_path_segment("ann%40example.org").value(), "ann@example.org");
  EXPECT_EQ(decode_path_segment("a+b%20c%2Fd").value(), "a+b c/d");
  EXPECT_EQ(decode_path_segment("%F0%9F%98%80").value(), "\xF0\x9F\x98\x80");
  EXPECT_EQ(decode_path_segment("").value(), "");
}

TEST(PathSegment, WithBadEncodingIsRefused) {
  for (const char* raw : {"%", "a%1", "%g0", "%C3", "%00", "a%80b", "%E2%82"}) {
    EXPECT_FALSE(decode_path_segment(raw)) << raw;
  }
}

}  // namespace
}  // namespace um::http
