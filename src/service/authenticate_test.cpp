#include <gtest/gtest.h>

#include "support/sign_in_stage.hpp"

namespace um {
namespace {

using namespace std::chrono_literals;
using test::run;

class AuthenticateTest : public ::testing::Test, protected SignInStage {
 protected:
  AuthenticateTest()
      : id_{add("alice@example.org")->user.id}, token_{token_of("alice@example.org")} {}

  User& alice() { return users.rows.at(id_).user; }
  ErrorCode refused(const std::string& token) {
    const auto answer = who(token);
    return answer ? ErrorCode::internal : answer.error().code;
  }

  // A password change that keeps the session: one transaction.
  void change_password_and_keep() {
    users.bump_epoch(id_);
    auto kept = std::make_shared<Session>(*sessions.rows.begin()->second);
    kept->auth_epoch = alice().auth_epoch;
    sessions.rows.begin()->second = kept;
  }

  UserId id_;
  std::string token_;
};

TEST_F(AuthenticateTest, TheKeptSessionIsGoodWhileItsPasswordChanges) {
  const int finds = sessions.calls.find;
  sessions.after_find = [this, finds] {
    if (sessions.calls.find == finds + 1) change_password_and_keep();
  };
  EXPECT_TRUE(who(token_)) << "the session was read before, the user after the change";
  EXPECT_EQ(sessions.calls.from_primary, 1);
  EXPECT_TRUE(who(token_));
  EXPECT_EQ(sessions.calls.from_primary, 1) << "only when the epochs differ";
}

TEST_F(AuthenticateTest, AChangeBetweenTheSecondReadsToo) {
  const int finds = sessions.calls.find;
  sessions.before_find = [this, finds] {
    if (sessions.calls.find == finds + 2) change_password_and_keep();
  };
  sessions.after_find = [this, finds] {
    if (sessions.calls.find == finds + 1) change_password_and_keep();
  };
  EXPECT_TRUE(who(token_)) << "the user was read before the second change, the session after it";
}

TEST_F(AuthenticateTest, AnEndedSessionIsAskedForAgainOnceAndRefused) {
  sessions.after_find = [this] { users.bump_epoch(id_); };
  EXPECT_EQ(refused(token_), ErrorCode::unauthenticated);
  EXPECT_EQ(sessions.calls.from_primary, 1);
}

TEST_F(AuthenticateTest, ASessionRevokedBeforeTheSecondReadIsRefused) {
  users.bump_epoch(id_);
  sessions.after_find = [this] { sessions.rows.clear(); };
  EXPECT_EQ(refused(token_), ErrorCode::unauthenticated);
}

TEST_F(AuthenticateTest, FromMemoryEpochsThatDifferAreNoAnswer) {
  sessions.in_memory = true;
  users.in_memory = true;
  users.bump_epoch(id_);
  EXPECT_FALSE(sign_in.authenticate_now(token_, clock.now()));
  EXPECT_EQ(refused(token_), ErrorCode::unauthenticated);
}

TEST_F(AuthenticateTest, ATokenOfALivingSessionSaysWhoSentIt) {
  const auto principal = who(token_);
  ASSERT_TRUE(principal);
  EXPECT_EQ(principal->id(), id_);
  EXPECT_EQ(principal->session().id, sessions.rows.begin()->first);
}

TEST_F(AuthenticateTest, RoleAndNameAreTheOnesOfTheRowNow) {
  alice().role = Role::admin;
  EXPECT_TRUE(who(token_)->is_admin());
  alice().role = Role::user;
  EXPECT_FALSE(who(token_)->is_admin());
}

TEST_F(AuthenticateTest, ARevokedSessionIsRefused) {
  sessions.rows.clear();
  EXPECT_EQ(refused(token_), ErrorCode::unauthenticated);
}

TEST_F(AuthenticateTest, AnExpiredSessionIsRefusedAlsoIfTheTokenIsNot) {
  auto shorter = std::make_shared<Session>(*sessions.rows.begin()->second);
  shorter->expires_at = clock.wall_now() + 1min;
  sessions.rows.begin()->second = shorter;
  clock.advance(1min - 1us);
  EXPECT_TRUE(who(token_));
  clock.advance(1us);
  EXPECT_EQ(refused(token_), ErrorCode::unauthenticated);
}

TEST_F(AuthenticateTest, ASessionOfSomebodyElseIsRefused) {
  auto stolen = std::make_shared<Session>(*sessions.rows.begin()->second);
  stolen->user_id = add("bob@example.org")->user.id;
  sessions.rows.begin()->second = stolen;
  EXPECT_EQ(refused(token_), ErrorCode::unauthenticated);
}

TEST_F(AuthenticateTest, AnotherEpochIsRefusedNewerOrOlder) {
  alice().auth_epoch += 1;
  EXPECT_EQ(refused(token_), ErrorCode::unauthenticated);
  alice().auth_epoch -= 2;
  EXPECT_EQ(refused(token_), ErrorCode::unauthenticated);
}

TEST_F(AuthenticateTest, ADisabledUserIsRefusedAndEnablingBringsNoSessionBack) {
  users.disable(id_);
  EXPECT_EQ(refused(token_), ErrorCode::unauthenticated);
  alice().is_active = true;
  EXPECT_EQ(refused(token_), ErrorCode::unauthenticated);
}

TEST_F(AuthenticateTest, AnInactiveUserIsRefusedWhateverTheEpoch) {
  alice().is_active = false;
  EXPECT_EQ(refused(token_), ErrorCode::unauthenticated);
}

TEST_F(AuthenticateTest, ADeletedUserIsRefused) {
  users.rows.clear();
  EXPECT_EQ(refused(token_), ErrorCode::unauthenticated);
}

TEST_F(AuthenticateTest, GarbageIsRefusedBeforeAnythingIsLookedUp) {
  const int finds = sessions.calls.find;
  EXPECT_EQ(refused(""), ErrorCode::unauthenticated);
  EXPECT_EQ(refused("x.y.z"), ErrorCode::unauthenticated);
  EXPECT_EQ(refused(token_ + "x"), ErrorCode::unauthenticated);
  EXPECT_EQ(refused("Bearer " + token_), ErrorCode::unauthenticated);
  EXPECT_EQ(sessions.calls.find, finds);
}

TEST_F(AuthenticateTest, WhatCouldNotBeFoundOutIsNotCalledInvalid) {
  sessions.failure = Error{.code = ErrorCode::unavailable};
  EXPECT_EQ(refused(token_), ErrorCode::unavailable);
  sessions.failure.reset();
  users.failure = Error{.code = ErrorCode::timeout};
  EXPECT_EQ(refused(token_), ErrorCode::timeout);
}

TEST_F(AuthenticateTest, FromMemoryItAnswersAtOnceAndTheSame) {
  EXPECT_FALSE(sign_in.authenticate_now(token_, clock.now())) << "the stores know nothing at once";
  sessions.in_memory = true;
  EXPECT_FALSE(sign_in.authenticate_now(token_, clock.now())) << "the user is still missing";
  users.in_memory = true;
  const int finds = users.calls.find;
  const auto principal = sign_in.authenticate_now(token_, clock.now());
  ASSERT_TRUE(principal && *principal);
  EXPECT_EQ((*principal)->id(), id_);
  users.disable(id_);
  const auto refused_now = sign_in.authenticate_now(token_, clock.now());
  ASSERT_TRUE(refused_now);
  EXPECT_EQ(refused_now->error().code, ErrorCode::unauthenticated);
  EXPECT_EQ(users.calls.find, finds) << "without any I/O";
}

}  // namespace
}  // namespace um
