// Many users in one transaction.
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

TEST_P(UserStoreContract, AnEmptyBatchIsAnsweredWithNothing) {
  EXPECT_TRUE(run(users().insert_many({}, kNever))->empty());
}

}  // namespace
}  // namespace um::test
