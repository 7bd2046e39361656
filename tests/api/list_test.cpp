// GET /users and GET /users/search: pages, Link headers, keysets, counts and bad queries.
#include <set>

#include "support/json.hpp"
#include "support/stage_test.hpp"

namespace um::e2e {
namespace {

std::vector<std::string> ids_in(const HttpResponse& page) {
  std::vector<std::string> ids;
  const auto users = page.json();
  if (!users.is_array()) return ids;
  for (const auto& user : users.get_array()) ids.push_back(text_at(user, "/id"));
  return ids;
}

// The target of a relation in a Link field (RFC 8288), or empty.
std::string link_to(const HttpResponse& page, const std::string& relation) {
  static const std::regex kLink{R"re(<([^>]*)>; rel="([a-z]+)")re"};
  const std::string field = page.header("Link").value_or("");
  for (std::sregex_iterator link{field.begin(), field.end(), kLink}, end; link != end; ++link) {
    if ((*link)[2] == relation) return (*link)[1];
  }
  return "";
}

class ListUsers : public StageTest<ListUsers> {
 public:
  static void SetUpTestSuite() {
    StageTest::SetUpTestSuite();
    stage().add(Person{.name = "reader", .role = "service"});
    for (int i = 0; i < 23; ++i) stage().add(Person{.name = "p", .first_name = "Numbered"});
    stage().add("last");
  }

 protected:
  // From `target` along "next" to the end.
  static std::vector<std::string> walk(std::string target) {
    std::vector<std::string> ids;
    for (int pages = 0; !target.empty() && pages < 100; ++pages) {
      const auto page = stage().get("admin", target);
      EXPECT_EQ(page.status, 200U) << page.text();
      for (auto& id : ids_in(page)) ids.push_back(std::move(id));
      target = link_to(page, "next");
    }
    return ids;
  }
  static void expect_ascending(const std::vector<std::string>& ids) {
    for (std::size_t i = 1; i < ids.size(); ++i) {
      EXPECT_LT(std::stoll(ids[i - 1]), std::stoll(ids[i]));
    }
  }
};

constexpr std::size_t kEverybody = 26;  // 23 numbered, the reader, the last one, the administrator

TEST_F(ListUsers, TenAPageUnlessAskedOtherwise) {
  const auto page = stage().get("admin", "/users");
  EXPECT_EQ(page.status, 200U);
  EXPECT_EQ(ids_in(page).size(), 10U);
  EXPECT_EQ(ids_in(stage().get("admin", "/users?per_page=100")).size(), kEverybody);
  EXPECT_EQ(ids_in(stage().get("admin", "/users?per_page=1")).size(), 1U);
  EXPECT_EQ(ids_in(stage().get("admin", "/users?page=3")).size(), kEverybody - 20);
  EXPECT_EQ(ids_in(stage().get("admin", "/users?page=%33&per_page=5")).size(), 5U);
  EXPECT_EQ(ids_in(stage().get("admin", "/users?page=2147483647&per_page=100")).size(), 0U);
  EXPECT_EQ(stage().get("admin", "/users?page=100").body, "[]");
  EXPECT_EQ(page.header("Cache-Control"), "private, no-cache");
}

TEST_F(ListUsers, NextLeadsThroughEverybodyOnce) {
  for (const auto* start :
       {"/users", "/users?per_page=7", "/users?per_page=4&after=0", "/users/search?per_page=5",
        "/users/search?keyword=&per_page=9", "/users?page=1&per_page=26", "/users?per_page=25"}) {
    const auto ids = walk(start);
    EXPECT_EQ(ids.size(), kEverybody) << start;
    EXPECT_EQ((std::set<std::string>{ids.begin(), ids.end()}.size()), kEverybody) << start;
    expect_ascending(ids);
  }
}

TEST_F(ListUsers, FirstAndPrevLeadBack) {
  const auto middle = stage().get("admin", "/users?per_page=5&page=3");
  EXPECT_EQ(ids_in(stage().get("admin", link_to(middle, "prev"))),
            ids_in(stage().get("admin", "/users?per_page=5&page=2")));
  EXPECT_EQ(ids_in(stage().get("admin", link_to(middle, "first"))),
            ids_in(stage().get("admin", "/users?per_page=5")));
  EXPECT_EQ(link_to(stage().get("admin", "/users?per_page=5"), "prev"), "");
  EXPECT_EQ(link_to(stage().get("admin", "/users?per_page=26"), "next"), "");
}

TEST_F(ListUsers, AfterIsAKeysetAndDoesNotSlipWhenRowsGo) {
  const auto first = ids_in(stage().get("admin", "/users?per_page=5&after=0"));
  ASSERT_EQ(first.size(), 5U);
  const auto second = ids_in(stage().get("admin", "/users?per_page=5&after=" + first.back()));
  expect_ascending({first.back(), second.front()});
  stage().add("fleeting");
  const std::string fleeting = stage().known("fleeting");
  stage().run(Step{.who = "admin", .request = "DELETE /user/<fleeting>"});
  EXPECT_EQ(ids_in(stage().get("admin", "/users?after=" + fleeting)).size(), 0U);
  EXPECT_EQ(ids_in(stage().get("admin", "/users?after=9223372036854775807")).size(), 0U);
}

TEST_F(ListUsers, CountIsGivenWhenAskedFor) {
  const auto total = [&](const std::string& target) {
    return stage().get("admin", target).header("X-Total-Count").value_or("none");
  };
  EXPECT_EQ(total("/users"), "none");
  EXPECT_EQ(total("/users?count=false"), "none");
  EXPECT_EQ(total("/users?count=true&per_page=1"), std::to_string(kEverybody));
  EXPECT_EQ(total("/users/search?keyword=numbered&count=true"), "23");
  EXPECT_EQ(total("/users/search?keyword=nobody-at-all&count=true"), "0");
}

TEST_F(ListUsers, IsForAdministratorsAndServices) {
  stage().run({
      {.who = "reader", .request = "GET /users"},
      {.who = "reader", .request = "GET /users/search?keyword=x"},
      {.who = "last", .request = "GET /users", .status = 403},
      {.who = "last", .request = "GET /users/search?keyword=x", .status = 403},
      {.request = "GET /users", .status = 401},
      {.request = "GET /users/search?keyword=x", .status = 401},
  });
}

TEST_F(ListUsers, EveryElementIsAWholeUser) {
  stage().run(
      Step{.who = "admin", .request = "GET /user/<last>", .save = {{"etag", "header:ETag"}}});
  const auto one = stage().get("admin", "/user/<last>").json();
  const auto listed = stage().get("admin", "/users/search?keyword=last-").json();
  ASSERT_TRUE(listed.is_array());
  ASSERT_EQ(listed.get_array().size(), 1U);
  EXPECT_EQ(listed.get_array()[0], one);
}

TEST_F(ListUsers, ParametersThatAreNoPageAreRefused) {
  for (const auto* path : {"/users", "/users/search"}) {
    for (const auto* parameter : {"page", "per_page"}) {
      for (const auto* value :
           {"0", "-1", "1e3", "%2B1", "+1", "", "2147483648", "9223372036854775808",
            "18446744073709551617", "01", "1.0", "one", "0x1", "%201", "1%00", "%D9%A1"}) {
        stage().run(
            Step{.who = "admin",
                 .request = std::string{"GET "} + path + "?" + parameter + "=" + value,
                 .status = 422,
                 .json = R"({"errors": [{"field": ")" + std::string{parameter} + R"("}]})"});
      }
      stage().run(
          Step{.who = "admin",
               .request = std::string{"GET "} + path + "?" + parameter + "=1&" + parameter + "=1",
               .status = 422});
    }
    for (const auto* query :
         {"per_page=101", "per_page=1000000", "page", "after=-1", "after=x", "after=1&after=2",
          "after=9223372036854775808", "count=maybe", "count=true&count=true", "after=1&page=2"}) {
      stage().run(
          Step{.who = "admin", .request = std::string{"GET "} + path + "?" + query, .status = 422});
    }
  }
  stage().run(
      Step{.who = "admin", .request = "GET /users/search?keyword=a&keyword=b", .status = 422});
}

}  // namespace
}  // namespace um::e2e
