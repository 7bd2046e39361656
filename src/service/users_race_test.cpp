// Changes against other changes: rows from memory, lost comparisons, If-Match, deadlines.
#include <gtest/gtest.h>

#include "service/users.hpp"
#include "support/users_stage.hpp"

namespace um {
namespace {

using test::is;
using test::registration;
using test::UsersTest;

TEST_F(UsersTest, WhatSeemsToChangeNothingIsComparedWithTheDatabase) {
  store_.cached[ada_->user.id] = ada_;
  store_.change_behind(ada_->user.id, [](User& user) { user.first_name = "Grace"; });
  const auto changed = patch(ada_, {.id = ada_->user.id, .input = named("Ada")});
  ASSERT_TRUE(changed);
  EXPECT_EQ((*changed)->user.first_name, "Ada");
  EXPECT_EQ(store_.get(ada_->user.id)->user.first_name, "Ada");
}

TEST_F(UsersTest, AnOldRowFromMemoryIsNotWhatIsChanged) {
  store_.cached[ada_->user.id] = ada_;
  store_.change_behind(ada_->user.id, [](User& user) { user.last_name = "King"; });
  const auto changed = patch(ada_, {.id = ada_->user.id, .input = named("Augusta")});
  ASSERT_TRUE(changed);
  EXPECT_EQ((*changed)->user.last_name, "King");
  EXPECT_EQ((*changed)->user.first_name, "Augusta");
  EXPECT_EQ(store_.calls.update, 1);
  EXPECT_EQ(store_.calls.find_primary, 0) << "the store looks at its row anyway";
}

TEST_F(UsersTest, AChangeOutlastsManyFasterOnes) {
  int others = 40;
  store_.before_update = [&] {
    if (others-- > 0)
      store_.change_behind(ada_->user.id, [](User& user) { user.last_name += "!"; });
  };
  const auto changed = patch(ada_, {.id = ada_->user.id, .input = named("Augusta")});
  ASSERT_TRUE(changed);
  EXPECT_EQ((*changed)->user.first_name, "Augusta");
  EXPECT_EQ((*changed)->user.last_name, "Lovelace" + std::string(40, '!'));
}

TEST_F(UsersTest, AttemptsAreBounded) {
  store_.before_update = [&] {
    store_.change_behind(ada_->user.id, [](User& user) { user.last_name += "!"; });
  };
  const auto lost = patch(ada_, {.id = ada_->user.id, .input = named("Augusta")});
  EXPECT_EQ(lost.error().code, ErrorCode::conflict);
  EXPECT_EQ(store_.calls.update, 50);
  EXPECT_EQ(store_.get(ada_->user.id)->user.first_name, "Ada");
}

TEST_F(UsersTest, AttemptsEndWithTheDeadline) {
  store_.before_update = [&] {
    clock_.advance(std::chrono::seconds{1});
    store_.change_behind(ada_->user.id, [](User& user) { user.last_name += "!"; });
  };
  const auto deadline = Deadline::after(clock_, std::chrono::milliseconds{2500});
  const auto lost = run(
      users_.patch(principal(ada_), {.id = ada_->user.id, .input = named("Augusta")}, deadline));
  EXPECT_EQ(lost.error().code, ErrorCode::conflict);
  EXPECT_EQ(store_.calls.update, 3);
}

TEST_F(UsersTest, ALostComparisonIsAFailedPrecondition) {
  store_.before_update = [&] {
    store_.change_behind(ada_->user.id, [](User& user) { user.last_name += "!"; });
  };
  const RevisionMatch match{.revisions = {ada_->revision}};
  const auto lost =
      patch(ada_, {.id = ada_->user.id, .input = named("Augusta"), .if_match = match});
  EXPECT_EQ(lost.error().code, ErrorCode::precondition_failed);
  EXPECT_EQ(store_.calls.update, 1);
}

TEST_F(UsersTest, TheStoreHasItsOwnTime) {
  const auto long_deadline = Deadline::after(clock_, std::chrono::hours{1});
  const BootTime limit = clock_.now() + kStoreTime;
  UserInput input = new_password("the old password");
  const auto changed =
      run(users_.patch(principal(ada_), {.id = ada_->user.id, .input = input}, {}));
  ASSERT_TRUE(changed);
  ASSERT_TRUE(run(users_.create({}, {.input = registration()}, Deadline::never())));
  ASSERT_TRUE(run(users_.remove(ada_->user.id, RevisionMatch{.any = true}, long_deadline)));
  EXPECT_GE(store_.deadlines.size(), 7U);
  for (const Deadline& deadline : store_.deadlines) EXPECT_EQ(deadline.at, limit);

  store_.deadlines.clear();
  const auto short_deadline = Deadline::after(clock_, std::chrono::seconds{1});
  ASSERT_TRUE(run(users_.list({.page = {.limit = 1}}, short_deadline)));
  ASSERT_EQ(store_.deadlines.size(), 1U);
  EXPECT_EQ(store_.deadlines[0].at, short_deadline.at);
}

TEST_F(UsersTest, IfMatchNamesTheRevision) {
  const auto with = [&](RevisionMatch match) {
    return patch(ada_,
                 {.id = ada_->user.id, .input = named("Augusta"), .if_match = std::move(match)});
  };
  const Revision other{.version = ada_->revision.version, .digest = "0000000000000000"};
  EXPECT_EQ(with({.revisions = {other}}).error().code, ErrorCode::precondition_failed);
  EXPECT_EQ(with({}).error().code, ErrorCode::precondition_failed);
  EXPECT_TRUE(with({.revisions = {other, ada_->revision}}));
  EXPECT_EQ(with({.revisions = {ada_->revision}}).error().code, ErrorCode::precondition_failed);
  EXPECT_TRUE(with({.any = true}));
}

TEST_F(UsersTest, IfMatchIsNotRefusedBecauseOfAnOldRowInMemory) {
  store_.cached[ada_->user.id] = ada_;
  store_.change_behind(ada_->user.id, [](User& user) { user.last_name = "King"; });
  const Revision now = store_.get(ada_->user.id)->revision;
  EXPECT_TRUE(patch(ada_, {.id = ada_->user.id,
                           .input = named("Augusta"),
                           .if_match = RevisionMatch{.revisions = {now}}}));
}

TEST_F(UsersTest, IfMatchIsNotServedByAnOldRowInMemory) {
  store_.cached[ada_->user.id] = ada_;
  store_.change_behind(ada_->user.id, [](User& user) { user.last_name = "King"; });
  const auto refused = patch(ada_, {.id = ada_->user.id,
                                    .input = named("Augusta"),
                                    .if_match = RevisionMatch{.revisions = {ada_->revision}}});
  EXPECT_EQ(refused.error().code, ErrorCode::precondition_failed);
  EXPECT_EQ(store_.get(ada_->user.id)->user.first_name, "Ada");
}

TEST_F(UsersTest, AnOldTagWeighsMoreThanMembersThatHaveChanged) {
  UserInput read = named("Augusta");
  read.version = is(ada_->user.version);
  store_.change_behind(ada_->user.id, [](User& user) { user.last_name = "King"; });
  const RevisionMatch old{.revisions = {ada_->revision}};
  const auto refused = patch(ada_, {.id = ada_->user.id, .input = read, .if_match = old});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::precondition_failed);
}

TEST_F(UsersTest, APasswordProvenBeforeAnotherChangeOfItIsProvenNoMore) {
  bool once = true;
  store_.before_update = [&] {
    if (std::exchange(once, false))
      store_.change_behind(ada_->user.id, [](User& user) { ++user.auth_epoch; });
  };
  const auto refused =
      patch(ada_, {.id = ada_->user.id, .input = new_password("the old password")});
  EXPECT_EQ(refused.error().code, ErrorCode::conflict);
  EXPECT_TRUE(verifies(ada_->user.id, "the old password"));
  EXPECT_EQ(store_.calls.update, 1);
}

TEST_F(UsersTest, AnOldEpochInMemoryIsReadAgain) {
  store_.cached[ada_->user.id] = ada_;
  store_.change_behind(ada_->user.id, [](User& user) { ++user.auth_epoch; });
  EXPECT_TRUE(patch(ada_, {.id = ada_->user.id, .input = new_password("the old password")}));
}

}  // namespace
}  // namespace um
