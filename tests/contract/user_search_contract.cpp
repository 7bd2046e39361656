#include <gmock/gmock.h>

#include "contract/storage_under_test.hpp"

namespace um::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST_P(UserSearchContract, ListsByIdWithOffsetOrAfter) {
  for (const char* name : {"a", "b", "c", "d", "e"}) add(name, "", std::string{name} + "@x.org");
  const UserId b = find(email("b@x.org"))->user.id;
  EXPECT_THAT(list({.limit = 2}), ElementsAre("a", "b"));
  EXPECT_THAT(list({.limit = 2, .offset = 4}), ElementsAre("e"));
  EXPECT_THAT(list({.limit = 2, .after = b}), ElementsAre("c", "d"));
  EXPECT_THAT(list({.limit = 2, .offset = 5}), IsEmpty());
  EXPECT_EQ(count(""), 5);
}

TEST_P(UserSearchContract, FindsPartsOfNamesAndAddresses) {
  add("Grace", "Hopper", "grace@navy.mil");
  add("Linus", "Torvalds", "linus@kernel.org");
  EXPECT_THAT(search("rac"), ElementsAre("Grace"));
  EXPECT_THAT(search("HOPP"), ElementsAre("Grace"));
  EXPECT_THAT(search("@kernel"), ElementsAre("Linus"));
  EXPECT_THAT(search("nobody"), IsEmpty());
  EXPECT_EQ(count("rac"), 1);
  EXPECT_EQ(count("nobody"), 0);
}

TEST_P(UserSearchContract, OneAndTwoCharactersAreFoundAnywhere) {
  add("Ann", "B", "q@navy.mil");
  add("志明", "王", "x@y.cn");
  EXPECT_THAT(search("b"), ElementsAre("Ann"));
  EXPECT_THAT(search("NN"), ElementsAre("Ann"));
  EXPECT_THAT(search("il"), ElementsAre("Ann"));  // the very end
  EXPECT_THAT(search("志明"), ElementsAre("志明"));
  EXPECT_THAT(search("明"), ElementsAre("志明"));
  EXPECT_THAT(search("n"), ElementsAre("Ann", "志明"));
  EXPECT_THAT(search("zz"), IsEmpty());
  EXPECT_EQ(count("n"), 2);
  EXPECT_EQ(count("明"), 1);
  EXPECT_EQ(count("zz"), 0);
}

TEST_P(UserSearchContract, FoldsBeyondAscii) {
  add("Łukasz", "Straße", "a@x.org");
  add("Иван", "Ångström", "b@x.org");
  EXPECT_THAT(search("łUK"), ElementsAre("Łukasz"));
  EXPECT_THAT(search("STRASSE"), ElementsAre("Łukasz"));
  EXPECT_THAT(search("ИВАН"), ElementsAre("Иван"));
  EXPECT_THAT(search("A\u030Angstr"), ElementsAre("Иван"));  // decomposed
}

TEST_P(UserSearchContract, EveryCharacterIsOrdinary) {
  add("100%", "x", "a@x.org");
  add("under_score", "x", "b@x.org");
  add("quo\"te", "x", "c@x.org");
  add("star*", "or AND", "d@x.org");
  add("plain", "x", "e@x.org");
  EXPECT_THAT(search("%"), ElementsAre("100%"));
  EXPECT_THAT(search("00%"), ElementsAre("100%"));
  EXPECT_THAT(search("r_s"), ElementsAre("under_score"));
  EXPECT_THAT(search("_"), ElementsAre("under_score"));
  EXPECT_THAT(search("o\"t"), ElementsAre("quo\"te"));
  EXPECT_THAT(search("\""), ElementsAre("quo\"te"));
  EXPECT_THAT(search("\"\"\""), IsEmpty());
  EXPECT_THAT(search("ar*"), ElementsAre("star*"));
  EXPECT_THAT(search("or AND"), ElementsAre("star*"));
  EXPECT_THAT(search("pla*"), IsEmpty());
  EXPECT_THAT(search("' OR 1=1"), IsEmpty());
}

TEST_P(UserSearchContract, AKeywordDoesNotReachFromOneFieldIntoTheNext) {
  add("ab", "cd", "ef@x.org");
  EXPECT_THAT(search("bc"), IsEmpty());
  EXPECT_THAT(search("abcd"), IsEmpty());
  EXPECT_THAT(search("cdef"), IsEmpty());
}

TEST_P(UserSearchContract, ControlCharactersMatchNothing) {
  add("ab", "cd", "ef@x.org");
  EXPECT_THAT(search("b\x1f"
                     "c"),
              IsEmpty());
  EXPECT_THAT(search("\x1f"), IsEmpty());
  EXPECT_THAT(search(std::string_view{"a\0b", 3}), IsEmpty());
  EXPECT_EQ(count("\x1f"), 0);
}

TEST_P(UserSearchContract, BrokenUtf8AndVeryLongKeywordsAreHarmless) {
  add("ab", "cd", "ef@x.org");
  EXPECT_THAT(search("\xff\xfe"), IsEmpty());
  EXPECT_THAT(search(std::string(8000, 'a')), IsEmpty());
  EXPECT_THAT(search("x.orgx.org"), IsEmpty());
}

TEST_P(UserSearchContract, FollowsChangesAndRemovals) {
  const UserId id = add("before", "", "a@x.org");
  ASSERT_TRUE(update(id, {.first_name = "after"}));
  EXPECT_THAT(search("before"), IsEmpty());
  EXPECT_THAT(search("bef"), IsEmpty());
  EXPECT_THAT(search("afte"), ElementsAre("after"));
  ASSERT_TRUE(update(id, {.email = email("moved@x.org")}));
  EXPECT_THAT(search("moved@"), ElementsAre("after"));
  ASSERT_TRUE(run(users().remove({.id = id}, kNever)));
  EXPECT_THAT(search("afte"), IsEmpty());
  EXPECT_THAT(search("af"), IsEmpty());
}

TEST_P(UserSearchContract, PagesOfHitsAreByIdWithOffsetOrAfter) {
  for (int i = 0; i < 7; ++i) {
    add("hit" + std::to_string(i), "", "hit" + std::to_string(i) + "@x.org");
    add("other", "", "other" + std::to_string(i) + "@y.org");
  }
  const UserId second = find(email("hit1@x.org"))->user.id;
  for (const char* keyword : {"hit", "hi"}) {
    EXPECT_THAT(search(keyword, {.limit = 2}), ElementsAre("hit0", "hit1")) << keyword;
    EXPECT_THAT(search(keyword, {.limit = 2, .offset = 5}), ElementsAre("hit5", "hit6"));
    EXPECT_THAT(search(keyword, {.limit = 2, .after = second}), ElementsAre("hit2", "hit3"));
    EXPECT_THAT(search(keyword, {.limit = 2, .offset = 7}), IsEmpty());
    EXPECT_EQ(count(keyword), 7);
  }
}

TEST_P(UserSearchContract, RareShortKeywordsAreFoundFarBehindTheFirstUsers) {
  UserStore::InsertMany batch;
  for (int i = 0; i < 6000; ++i) batch.users.push_back(named("u" + std::to_string(i) + "@x.org"));
  ASSERT_TRUE(run(users().insert_many(std::move(batch), kNever)));
  add("last qz", "", "one@y.org");
  add("last zq", "", "two@y.org");
  EXPECT_THAT(search("qz"), ElementsAre("last qz"));
  EXPECT_THAT(search("q"), ElementsAre("last qz", "last zq"));
  EXPECT_THAT(search("q", {.limit = 1, .offset = 1}), ElementsAre("last zq"));
  EXPECT_THAT(search("%"), IsEmpty());
  EXPECT_EQ(count("q"), 2);
}

}  // namespace
}  // namespace um::test
