// Many users in one transaction.
#include <set>

#include "contract/storage_under_test.hpp"

namespace um::test {
namespace {

TEST_P(UserStoreContract, InsertManyAnswersEachRowAndKeepsTheGoodOnes) {
  insert(named("taken@example.com"));
  UserStore::InsertMany batch;
  batch.users = {named("a@example.com"), named("TAKEN@example.com"), named("b@example.com"),
                 named("A@example.com")};
  const auto answers = run(users().insert_many(batch, kNever));
  ASSERT_TRUE(answers);
  ASSERT_EQ(answers->size(), 4U);
  EXPECT_TRUE((*answers)[0]);
  EXPECT_EQ(code((*answers)[1]), ErrorCode::email_taken);
  EXPECT_TRUE((*answers)[2]);
  EXPECT_EQ(code((*answers)[3]), ErrorCode::email_taken);
  EXPECT_EQ(find(email("b@example.com"))->user.id, *(*answers)[2]);
  EXPECT_EQ(run(users().count("", kNever)).value(), 3);
  EXPECT_EQ(run(users().count("b@exam", kNever)).value(), 1);
}

TEST_P(UserStoreContract, ARehearsalAnswersTheSameAndKeepsNothing) {
  insert(named("taken@example.com"));
  UserStore::InsertMany batch{.rehearse = true};
  batch.users = {named("a@example.com"), named("TAKEN@example.com"), named("A@example.com")};
  const auto answers = run(users().insert_many(batch, kNever));
  ASSERT_TRUE(answers);
  EXPECT_TRUE((*answers)[0]);
  EXPECT_EQ(code((*answers)[1]), ErrorCode::email_taken);
  EXPECT_EQ(code((*answers)[2]), ErrorCode::email_taken);
  EXPECT_EQ(run(users().count("", kNever)).value(), 1);
  EXPECT_FALSE(find(email("a@example.com")));
  EXPECT_EQ(run(users().count("a@example", kNever)).value(), 0);
}

TEST_P(UserStoreContract, ARowOfABatchThatIsThereWithItsIdIsToldFromOneWhoseIdAnotherHas) {
  const auto with_id = [](std::string_view address, std::int64_t id) {
    NewUser user = named(address);
    user.id = UserId::from(id);
    return user;
  };
  insert(with_id("there@example.com", 70));
  insert(with_id("other@example.com", 71));
  for (const bool rehearse : {true, false}) {
    UserStore::InsertMany batch{.rehearse = rehearse};
    batch.users = {with_id("THERE@example.com", 70), with_id("there@example.com", 71),
                   with_id("new@example.com", 70),   with_id("there@example.com", 72),
                   with_id("twice@example.com", 73), with_id("twice@example.com", 73)};
    const auto answers = run(users().insert_many(batch, kNever));
    ASSERT_TRUE(answers);
    EXPECT_EQ(code(answers->at(0)), ErrorCode::email_taken);
    EXPECT_EQ(code(answers->at(1)), ErrorCode::conflict);
    EXPECT_EQ(code(answers->at(2)), ErrorCode::conflict);
    EXPECT_EQ(code(answers->at(3)), ErrorCode::email_taken);
    EXPECT_TRUE(answers->at(4));
    EXPECT_EQ(code(answers->at(5)), ErrorCode::email_taken);
  }
}

TEST_P(UserStoreContract, RowsWithoutAnIdGetIdsAboveAllThatTheBatchNames) {
  int number = 0;
  const auto ids_of = [&](std::vector<std::int64_t> wanted) {  // 0: no id is given
    UserStore::InsertMany batch;
    for (const std::int64_t id : wanted) {
      batch.users.push_back(named("u" + std::to_string(++number) + "@example.com"));
      batch.users.back().id = UserId::from(id);
    }
    std::vector<std::int64_t> ids;
    const auto answers = run(users().insert_many(batch, kNever)).value();
    for (const auto& answer : answers) {
      ids.push_back(answer ? answer->value() : -1);
    }
    return ids;
  };
  using Ids = std::vector<std::int64_t>;
  EXPECT_EQ(ids_of({500, 0, 0}), (Ids{500, 501, 502}));
  EXPECT_EQ(ids_of({0, 503, 504, 0}), (Ids{505, 503, 504, 506}));
  EXPECT_EQ(ids_of({0, 20, 501, 0}), (Ids{507, 20, -1, 508}));
  EXPECT_EQ(ids_of({0, 9'000'000'000}), (Ids{9'000'000'001, 9'000'000'000}));
  EXPECT_GT(insert(named("one@example.com"))->user.id.value(), 9'000'000'001);
}

TEST_P(UserStoreContract, BatchesAtTheSameTimeNeverGetTheSameId) {
  std::vector<Task<Result<std::vector<Result<UserId>>>>> writes;
  for (int i = 0; i < 12; ++i) {
    UserStore::InsertMany batch;
    for (const char* name : {"a", "b", "c"}) {
      batch.users.push_back(named(name + std::to_string(i) + "@example.com"));
    }
    // Some of them far above the others.
    batch.users[1].id = UserId::from(100 + (i % 3 == 0 ? 5000 : 7) * i);
    writes.push_back(users().insert_many(std::move(batch), kNever));
  }
  std::set<std::int64_t> ids;
  for (const auto& answers : run_all(std::move(writes))) {
    ASSERT_TRUE(answers) << answers.error().detail;
    for (const std::size_t nameless : {0U, 2U}) {
      ASSERT_TRUE(answers->at(nameless)) << answers->at(nameless).error().detail;
      EXPECT_TRUE(ids.insert(answers->at(nameless)->value()).second);
    }
    if (answers->at(1)) {
      EXPECT_TRUE(ids.insert(answers->at(1)->value()).second);
    }
  }
  EXPECT_GT(insert(named("one@example.com"))->user.id.value(), *ids.rbegin());
}

TEST_P(UserStoreContract, ARehearsalUsesUpNoIdsAndTakesNoneThatIsNamed) {
  UserStore::InsertMany batch{.rehearse = true};
  batch.users = {named("a@example.com"), named("b@example.com"), named("c@example.com")};
  batch.users[1].id = UserId::from(std::int64_t{1} << 53U);
  batch.users[2].id = UserId::from(7);
  const auto answers = run(users().insert_many(batch, kNever));
  ASSERT_TRUE(answers);
  for (const auto& answer : *answers) EXPECT_TRUE(answer);
  EXPECT_EQ(insert(named("a@example.com"))->user.id.value(), 1);
}

TEST_P(UserStoreContract, AnEmptyBatchIsAnsweredWithNothing) {
  EXPECT_TRUE(run(users().insert_many({}, kNever))->empty());
}

}  // namespace
}  // namespace um::test
