#include "api/list_query.hpp"

#include <gtest/gtest.h>

namespace um::api {
namespace {

constexpr ListQueryRules kList{10, Keyword::ignored};
constexpr ListQueryRules kSearch{20, Keyword::taken};

ListQuery parsed(std::string_view raw, ListQueryRules rules = kSearch) {
  const auto query = parse_list_query(raw, rules);
  if (!query) ADD_FAILURE() << raw << ": " << query.error().detail;
  return query.value_or(ListQuery{});
}
std::string rejected(std::string_view raw) {
  const auto query = parse_list_query(raw, kSearch);
  if (query) return "accepted";
  if (query.error().code != ProblemCode::validation_failed) return "another problem";
  return query.error().fields.empty() ? "no field" : query.error().fields.front().field;
}
UserPage page_of(std::vector<std::int64_t> ids, bool more) {
  UserPage page{.users = {}, .more = more};
  for (const std::int64_t id : ids) {
    page.users.push_back(make_record({.id = *UserId::from(id), .email = *Email::parse("a@b.c")}));
  }
  return page;
}
std::string link(std::string_view raw, const UserPage& page) {
  return link_field({"/users/search", raw, Keyword::taken}, parsed(raw), page);
}

TEST(ListQuery, WhatIsMissingHasItsDefault) {
  EXPECT_EQ(parsed("", kList).page, 1);
  EXPECT_EQ(parsed("", kList).per_page, 10);
  EXPECT_EQ(parsed("", kSearch).per_page, 20);
  EXPECT_FALSE(parsed("").after);
  EXPECT_FALSE(parsed("").count);
}

TEST(ListQuery, PagesBecomeLimitAndOffset) {
  const auto request = parsed("page=3&per_page=7&count=true").request();
  EXPECT_EQ(request.page.limit, 7);
  EXPECT_EQ(request.page.offset, 14);
  EXPECT_FALSE(request.page.after);
  EXPECT_TRUE(request.count);
  EXPECT_EQ(parsed("page=2147483647&per_page=100").request().page.offset, 214'748'364'600);
}

TEST(ListQuery, AfterBecomesAKeysetPage) {
  const auto request = parsed("after=41").request();
  EXPECT_EQ(request.page.after, UserId::from(41));
  EXPECT_EQ(request.page.offset, 0);
  EXPECT_FALSE(parsed("after=0").request().page.after);
  EXPECT_EQ(parsed("after=9223372036854775807").request().page.after, UserId::from(INT64_MAX));
}

TEST(ListQuery, NumbersThatAreNotPlainOrNotInRangeAreRefused) {
  for (const std::string value :
       {"", "0", "-1", "+1", "%2B1", "1e3", "1.0", "01", "0x1", " 1", "1%20", "one", "2147483648",
        "4294967296", "9223372036854775808", "18446744073709551617", "99999999999999999999999"}) {
    EXPECT_EQ(rejected("page=" + value), "page") << value;
  }
  for (const std::string value :
       {"", "0", "-1", "101", "1e1", "2147483648", "9223372036854775808"}) {
    EXPECT_EQ(rejected("per_page=" + value), "per_page") << value;
  }
  for (const std::string value : {"", "-1", "+1", "1e3", "9223372036854775808"}) {
    EXPECT_EQ(rejected("after=" + value), "after") << value;
  }
  EXPECT_EQ(rejected("page"), "page");
  EXPECT_EQ(rejected("count=1"), "count");
  EXPECT_EQ(rejected("count="), "count");
}

TEST(ListQuery, RepeatedParametersAreRefused) {
  for (const std::string name : {"page", "per_page", "after", "keyword"}) {
    EXPECT_EQ(rejected(name + "=1&" + name + "=1"), name);
  }
  EXPECT_EQ(rejected("page=1&p%61ge=1"), "page");
  EXPECT_EQ(rejected("count=true&count=true"), "count");
}

TEST(ListQuery, PageAndAfterContradictEachOther) {
  EXPECT_EQ(rejected("page=1&after=1"), "after");
}

TEST(ListQuery, AllErrorsAreNamed) {
  const auto query = parse_list_query("page=0&per_page=0&count=maybe", kSearch);
  ASSERT_FALSE(query);
  EXPECT_EQ(query.error().fields.size(), 3U);
}

TEST(ListQuery, OtherParametersAreIgnored) {
  EXPECT_EQ(parsed("utm_source=x&utm_source=y&page=2").page, 2);
  EXPECT_EQ(parsed("keyword=a", kList).keyword, "");
}

TEST(ListQuery, TheKeywordIsDecoded) {
  EXPECT_EQ(parsed("keyword=a+b%25%5F").keyword, "a b%_");
  EXPECT_EQ(parsed("keyword=%E5%BF%97%E6%98%8E").keyword, "\xE5\xBF\x97\xE6\x98\x8E");
  EXPECT_EQ(rejected("keyword=%FF"), "keyword");
  EXPECT_EQ(rejected("keyword=a%00"), "keyword");
}

TEST(ListQuery, LinksGoToTheFirstThePreviousAndTheNextPage) {
  EXPECT_EQ(link("", page_of({1}, false)), R"(</users/search?page=1>; rel="first")");
  EXPECT_EQ(link("per_page=2&page=2&keyword=a+b", page_of({3, 4}, true)),
            R"(</users/search?per_page=2&keyword=a+b&page=1>; rel="first", )"
            R"(</users/search?per_page=2&keyword=a+b&page=1>; rel="prev", )"
            R"(</users/search?per_page=2&keyword=a+b&page=3>; rel="next")");
  EXPECT_EQ(link("page=2", page_of({}, false)),
            R"(</users/search?page=1>; rel="first", </users/search?page=1>; rel="prev")");
}

TEST(ListQuery, LinksByIdGoToTheFirstAndTheNextPage) {
  EXPECT_EQ(link("after=0&per_page=2", page_of({5, 9}, true)),
            R"(</users/search?per_page=2&after=0>; rel="first", )"
            R"(</users/search?per_page=2&after=9>; rel="next")");
  EXPECT_EQ(link("after=9", page_of({11}, false)), R"(</users/search?after=0>; rel="first")");
}

TEST(ListQuery, LinksDoNotRepeatWhatIsIgnored) {
  EXPECT_EQ(link("utm_source=x&per_page=2&token=secret&count=true", page_of({1}, false)),
            R"(</users/search?per_page=2&count=true&page=1>; rel="first")");
  const auto query = parse_list_query("keyword=a", kList);
  EXPECT_EQ(link_field({.path = "/users", .query = "keyword=a"}, *query, page_of({1}, false)),
            R"(</users?page=1>; rel="first")");
}

TEST(ListQuery, ALinkCannotBeBrokenOutOf) {
  EXPECT_EQ(link("keyword=>;\"<&page=1", page_of({1}, false)),
            R"(</users/search?keyword=%3E;%22%3C&page=1>; rel="first")");
}

}  // namespace
}  // namespace um::api
