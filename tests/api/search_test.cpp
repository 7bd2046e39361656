// GET /users/search: every script, every length of keyword, and characters with a meaning in SQL,
// LIKE or full-text queries.
#include <algorithm>

#include "support/json.hpp"
#include "support/stage_test.hpp"

namespace um::e2e {
namespace {

class Search : public StageTest<Search> {
 public:
  static void SetUpTestSuite() {
    StageTest::SetUpTestSuite();
    const auto person = [](std::string name, std::string first, std::string last) {
      stage().add(Person{
          .name = std::move(name), .first_name = std::move(first), .last_name = std::move(last)});
    };
    person("lilei", "雷", "李");
    person("zhiming", "志明", "王");
    person("olga", "Ольга", "Достоевская");
    person("yorgos", "Γιώργος", "Παπαδόπουλος");
    person("strasse", "Jörg", "Große-Straße");
    person("istanbul", "Işıl", "İnönü");
    person("arabic", "محمد", "علي");
    person("hebrew", "שרה", "כהן");
    person("devanagari", "अमित", "शर्मा");
    person("thai", "สมชาย", "ใจดี");
    person("hangul", "민수", "김");
    person("kana", "さくら", "タナカ");
    person("emoji", "Joy 😂", "Doe");
    person("percent", "100% sure", "under_score");
    person("plain", "1000 sure", "underXscore");
    person("quote", "O'Brien", "\"The Rock\"");
    person("backslash", "back\\slash", "semi;colon--");
    person("star", "a*b", "NEAR(x) OR y");
    person("decomposed", "Ame\u0301lie", "Poulain");
    person("composed", "Am\u00e9lie", "Nothomb");
  }

 protected:
  // The names (as in `person` above) of the users that are found.
  static std::vector<std::string> found(const std::string& keyword) {
    const auto answer =
        stage().get("admin", "/users/search?per_page=100&keyword=" + url_encode(keyword));
    EXPECT_EQ(answer.status, 200U) << keyword << "\n" << answer.text();
    std::vector<std::string> names;
    const auto users = answer.json();
    if (!users.is_array()) return names;
    for (const auto& user : users.get_array()) {
      const auto email = text_at(user, "/email");
      names.push_back(email.substr(0, email.find('-')));
    }
    return names;
  }
  using Names = std::vector<std::string>;
};

TEST_F(Search, FindsEveryScriptByKeywordsOfAnyLength) {
  for (const auto& [keyword, name] : std::vector<std::pair<std::string, std::string>>{
           {"雷", "lilei"},    {"李", "lilei"},       {"志", "zhiming"},  {"志明", "zhiming"},
           {"明", "zhiming"},  {"Ол", "olga"},        {"Ольга", "olga"},  {"стоев", "olga"},
           {"Γι", "yorgos"},   {"πουλος", "yorgos"},  {"ß", "strasse"},   {"öß", ""},
           {"Jör", "strasse"}, {"م", "arabic"},       {"محمد", "arabic"}, {"שר", "hebrew"},
           {"כהן", "hebrew"},  {"अमि", "devanagari"}, {"สม", "thai"},     {"ชาย", "thai"},
           {"민수", "hangul"}, {"김", "hangul"},      {"さく", "kana"},   {"タナカ", "kana"},
           {"😂", "emoji"},    {"y 😂", "emoji"},     {"ınö", ""}}) {
    EXPECT_EQ(found(keyword), name.empty() ? Names{} : Names{name}) << keyword;
  }
}

TEST_F(Search, IgnoresCaseInEveryScriptThatHasIt) {
  EXPECT_EQ(found("ОЛЬГА"), Names{"olga"});
  EXPECT_EQ(found("ол"), Names{"olga"});
  EXPECT_EQ(found("О"), (Names{"olga"}));
  EXPECT_EQ(found("достоевская"), Names{"olga"});
  EXPECT_EQ(found("ΠΑΠΑΔΌΠΟΥΛΟΣ"), Names{"yorgos"});
  EXPECT_EQ(found("JÖRG"), Names{"strasse"});
  EXPECT_EQ(found("ö"), found("Ö"));
  EXPECT_EQ(found("o'bRIEN"), Names{"quote"});
  EXPECT_EQ(found("POULAIN"), Names{"decomposed"});
}

TEST_F(Search, PercentUnderscoreAndQuotesAreOrdinary) {
  EXPECT_EQ(found("100%"), Names{"percent"});
  EXPECT_EQ(found("%"), Names{"percent"});
  EXPECT_EQ(found("0%"), Names{"percent"});
  EXPECT_EQ(found("_"), Names{"percent"});
  EXPECT_EQ(found("r_s"), Names{"percent"});
  EXPECT_EQ(found("under_score"), Names{"percent"});
  EXPECT_EQ(found("'"), Names{"quote"});
  EXPECT_EQ(found("O'B"), Names{"quote"});
  EXPECT_EQ(found("\""), Names{"quote"});
  EXPECT_EQ(found("\"The"), Names{"quote"});
  EXPECT_EQ(found("\\"), Names{"backslash"});
  EXPECT_EQ(found("k\\s"), Names{"backslash"});
  EXPECT_EQ(found(";"), Names{"backslash"});
  EXPECT_EQ(found("colon--"), Names{"backslash"});
  EXPECT_EQ(found("*"), Names{"star"});
  EXPECT_EQ(found("a*b"), Names{"star"});
  EXPECT_EQ(found("NEAR(x)"), Names{"star"});
  EXPECT_EQ(found("x) OR"), Names{"star"});
  EXPECT_EQ(found("' OR 1=1 --"), Names{});
  EXPECT_EQ(found("x\" OR \"y"), Names{});
}

TEST_F(Search, LooksIntoNamesAndAddressesEachByItself) {
  EXPECT_EQ(found("zhiming-"), Names{"zhiming"});
  EXPECT_EQ(found("@example.test").size(), 21U);
  EXPECT_EQ(found("志明王"), Names{});  // first and last name are not one text
  EXPECT_EQ(found("王 zhiming"), Names{});
  EXPECT_EQ(found("sureunder"), Names{});
  EXPECT_EQ(found("sure under"), Names{});
  EXPECT_EQ(found("sure\nunder"), Names{});
}

TEST_F(Search, SpacesInTheKeywordCount) {
  EXPECT_EQ(found("100% s"), Names{"percent"});
  EXPECT_EQ(found("0 s"), (Names{"plain"}));
  EXPECT_EQ(found("NEAR(x) OR y"), Names{"star"});
}

TEST_F(Search, SeesEveryChangeAtOnce) {
  stage().add(Person{.name = "changing", .first_name = "Before"});
  EXPECT_EQ(found("Before"), Names{"changing"});
  stage().run(Step{.who = "changing",
                   .request = "PATCH /user/<changing>",
                   .body = R"({"first_name": "志远Δ"})"});
  EXPECT_EQ(found("Before"), Names{});
  EXPECT_EQ(found("志远"), Names{"changing"});
  EXPECT_EQ(found("远δ"), Names{"changing"});
  EXPECT_EQ(found("δ"), (Names{"yorgos", "changing"}));
  stage().run(Step{.who = "changing", .request = "DELETE /user/<changing>"});
  EXPECT_EQ(found("志远"), Names{});
  EXPECT_EQ(found("远"), Names{});
}

TEST_F(Search, KeywordsThatAreNoTextAreRefusedOrFindNobody) {
  for (const auto* keyword : {"%FF", "%C0%AF", "%ED%A0%80", "a%00b", "%F5%80%80%80"}) {
    const auto answer = stage().get("admin", std::string{"/users/search?keyword="} + keyword);
    EXPECT_TRUE(answer.status == 422 || answer.status == 400 || answer.body == "[]")
        << answer.text();
  }
  stage().run({
      {.who = "admin", .request = "GET /users/search?keyword=%", .status = 400},
      {.who = "admin", .request = "GET /users/search?keyword=%zz", .status = 400},
      {.who = "admin",
       .request = "GET /users/search?keyword=" + std::string(5000, 'x'),
       .status = 422},
  });
}

}  // namespace
}  // namespace um::e2e
