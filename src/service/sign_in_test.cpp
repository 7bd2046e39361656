#include "service/sign_in.hpp"

#include <gtest/gtest.h>

#include "auth/passwords/bcrypt.hpp"
#include "support/sign_in_stage.hpp"

namespace um {
namespace {

using namespace std::chrono_literals;
using test::run;

class SignInTest : public ::testing::Test, protected SignInStage {};

TEST_F(SignInTest, TheRightPasswordOpensASession) {
  const UserRef alice = add("Alice@example.org");
  auto request = login_request("alice@EXAMPLE.org", kPassword);
  request.user_agent = "browser/1 \x1b[31m\xc3\xa9";
  const auto signed_in = run(sign_in.login(std::move(request), never()));
  ASSERT_TRUE(signed_in);
  EXPECT_EQ(signed_in->expires_in, 24h);
  EXPECT_EQ(signed_in->user->user.id, alice->user.id);
  EXPECT_EQ(signed_in->user->user.last_login_at, clock.wall_now());
  ASSERT_EQ(sessions.rows.size(), 1u);
  const Session& session = *sessions.rows.begin()->second;
  EXPECT_EQ(session.kind, SessionKind::login);
  EXPECT_EQ(session.expires_at, clock.wall_now() + 24h);
  EXPECT_EQ(session.address, "192.0.2.1");
  EXPECT_EQ(session.user_agent, "browser/1 ?[31m??");
  EXPECT_EQ(sign_in.stats().succeeded, 1u);
}

TEST_F(SignInTest, UnknownWrongDisabledAndMalformedAreOneAnswerAtOneCost) {
  add("alice@example.org");
  add("nobody@example.org", {.password = std::nullopt});
  add("broken@example.org", {.hash = "$2b$04$not a hash"});
  add("disabled@example.org", {.active = false});
  const std::pair<std::string, std::string> attempts[] = {
      {"alice@example.org", "wrong password"},
      {"unknown@example.org", kPassword},
      {"disabled@example.org", kPassword},
      {"nobody@example.org", kPassword},
      {"broken@example.org", kPassword},
      {"alice@example.org", ""},
      {"alice@example.org", std::string(kPassword) + '\0'},
      {"not an address", kPassword},
      {"", kPassword},
      {std::string(5000, 'x'), kPassword},
  };
  std::set<std::string> details;
  std::uint64_t checks = 0;
  for (const auto& [email, password] : attempts) {
    const auto refused = login(email, password);
    ASSERT_FALSE(refused) << email;
    EXPECT_EQ(refused.error().code, ErrorCode::invalid_credentials) << email;
    details.insert(refused.error().detail);
    EXPECT_EQ(hasher.stats().verified, ++checks) << email;
  }
  EXPECT_EQ(details.size(), 1u);
  EXPECT_EQ(users.calls.credentials, 7) << "one for each address that is one";
  EXPECT_EQ(sessions.calls.create, 0);
  EXPECT_EQ(limiter.stats().failures, std::size(attempts));
  EXPECT_EQ(sign_in.stats().wrong, std::size(attempts));
}

TEST_F(SignInTest, ARefusalTakesTheSameRoundsForCheaperHashesAndDisabledUsers) {
  PasswordHasher costly{{.cost = 6, .threads = 1, .queue = 1}, clock};
  SignIn with_costly{{users, sessions, costly, limiter, tokens, clock}, {}};
  add("alice@example.org", {.cost = 4});
  add("disabled@example.org", {.cost = 4, .active = false});
  const std::pair<std::string, std::string> attempts[] = {
      {"unknown@example.org", kPassword},
      {"alice@example.org", "wrong password"},
      {"disabled@example.org", "wrong password"},
      {"disabled@example.org", kPassword},
  };
  std::uint64_t rounds = 0;
  for (const auto& [email, password] : attempts) {
    EXPECT_FALSE(run(with_costly.login(login_request(email, password), never())));
    EXPECT_EQ(costly.stats().rounds, rounds += 1u << 6) << email;
  }
}

TEST_F(SignInTest, AfterTenFailuresEvenTheRightPasswordWaits) {
  add("alice@example.org");
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(login("alice@example.org", "wrong password"));
  const std::uint64_t checks = hasher.stats().verified;
  const auto limited = login("ALICE@example.org", kPassword);
  ASSERT_FALSE(limited);
  EXPECT_EQ(limited.error().code, ErrorCode::too_many_attempts);
  EXPECT_TRUE(limited.error().retry_after);
  EXPECT_EQ(hasher.stats().verified, checks) << "refused before hashing";
  EXPECT_EQ(sign_in.stats().limited, 1u);
  clock.advance(16min);
  EXPECT_TRUE(login("alice@example.org", kPassword));
}

TEST_F(SignInTest, SuccessesDoNotCountAsAttempts) {
  add("alice@example.org");
  for (int i = 0; i < 25; ++i) EXPECT_TRUE(login("alice@example.org", kPassword));
}

TEST_F(SignInTest, WhatCouldNotBeFoundOutCostsNoAttempt) {
  add("alice@example.org");
  users.failure = Error{.code = ErrorCode::unavailable};
  for (int i = 0; i < 15; ++i) {
    EXPECT_EQ(login("alice@example.org", kPassword).error().code, ErrorCode::unavailable);
  }
  users.failure.reset();
  sessions.failure = Error{.code = ErrorCode::timeout};
  for (int i = 0; i < 15; ++i) {
    EXPECT_EQ(login("alice@example.org", kPassword).error().code, ErrorCode::timeout);
  }
  sessions.failure.reset();
  EXPECT_EQ(sign_in.stats().unavailable, 30u);
  EXPECT_EQ(limiter.stats().failures, 0u);
  EXPECT_TRUE(login("alice@example.org", kPassword));
}

TEST_F(SignInTest, APasswordChangedWhileItWasCheckedOpensNothing) {
  const UserRef alice = add("alice@example.org");
  sessions.before_create = [&] {
    users.rows.at(alice->user.id).hash = Secret{"another"};
    users.bump_epoch(alice->user.id);
  };
  EXPECT_EQ(login("alice@example.org", kPassword).error().code, ErrorCode::invalid_credentials);
  EXPECT_TRUE(sessions.rows.empty());
  EXPECT_EQ(limiter.stats().failures, 1u);
}

TEST_F(SignInTest, AHashThatAnotherLoginUpgradedMeanwhileStillOpensASession) {
  const UserRef alice = add("alice@example.org", {.cost = 5});
  const Secret upgraded = *bcrypt::hash(Secret{kPassword}, 4);
  sessions.before_create = [&] { users.rows.at(alice->user.id).hash = upgraded; };
  EXPECT_TRUE(login("alice@example.org", kPassword));
  EXPECT_EQ(sessions.rows.size(), 1u);
  EXPECT_EQ(limiter.stats().failures, 0u);
  EXPECT_EQ(users.calls.rehash, 0) << "the new hash needs none";
}

TEST_F(SignInTest, AUserDisabledOrDeletedAfterAnUpgradeGetsNoSession) {
  const UserRef alice = add("alice@example.org");
  sessions.before_create = [&] {
    users.rows.at(alice->user.id).hash = Secret{"another"};
    users.rows.at(alice->user.id).user.is_active = false;
  };
  EXPECT_EQ(login("alice@example.org", kPassword).error().code, ErrorCode::invalid_credentials);
  add("bob@example.org");
  sessions.before_create = [&] { users.rows.clear(); };
  EXPECT_EQ(login("bob@example.org", kPassword).error().code, ErrorCode::invalid_credentials);
  EXPECT_TRUE(sessions.rows.empty());
  EXPECT_EQ(limiter.stats().failures, 2u);
}

TEST_F(SignInTest, AHashThatChangesAgainAndAgainIsTriedTwiceOnly) {
  const UserRef alice = add("alice@example.org");
  sessions.before_create = [&] {
    users.rows.at(alice->user.id).hash = Secret{std::to_string(sessions.calls.create)};
  };
  EXPECT_EQ(login("alice@example.org", kPassword).error().code, ErrorCode::invalid_credentials);
  EXPECT_EQ(sessions.calls.create, 2);
}

TEST_F(SignInTest, ADatabaseThatGoesAwayBeforeTheSecondTryCostsNoAttempt) {
  const UserRef alice = add("alice@example.org");
  sessions.before_create = [&] {
    users.rows.at(alice->user.id).hash = Secret{"another"};
    users.failure = Error{.code = ErrorCode::unavailable};
  };
  EXPECT_EQ(login("alice@example.org", kPassword).error().code, ErrorCode::unavailable);
  EXPECT_EQ(limiter.stats().failures, 0u);
}

TEST_F(SignInTest, ALoginBringsAnOldHashToTheConfiguredCost) {
  const UserRef alice = add("alice@example.org", {.cost = 5});
  EXPECT_FALSE(login("alice@example.org", "wrong password"));
  EXPECT_EQ(users.calls.rehash, 0);
  EXPECT_TRUE(login("alice@example.org", kPassword));
  EXPECT_EQ(bcrypt::supported_cost(users.rows.at(alice->user.id).hash.reveal()), 4);
  EXPECT_TRUE(login("alice@example.org", kPassword));
  EXPECT_EQ(users.calls.rehash, 1) << "once is enough";
  EXPECT_EQ(sessions.rows.size(), 2u);
}

TEST_F(SignInTest, AnAdoptedPasswordOfAnyLengthSignsInAndKeepsItsHash) {
  std::string hash{bcrypt::hash(Secret{std::string(72, 'x')}, 5)->reveal()};
  hash[2] = 'a';
  const UserRef alice = add("alice@example.org", {.hash = hash});
  EXPECT_TRUE(login("alice@example.org", std::string(600, 'x')));
  EXPECT_EQ(users.rows.at(alice->user.id).hash.reveal(), hash);
}

TEST_F(SignInTest, ALoginThatHasNoTimeLeftIsATimeout) {
  add("alice@example.org");
  const auto late =
      run(sign_in.login(login_request("alice@example.org", kPassword), Deadline{clock.now()}));
  EXPECT_EQ(late.error().code, ErrorCode::timeout);
  EXPECT_EQ(limiter.stats().failures, 0u);
}

TEST_F(SignInTest, LogoutEndsThisSessionOnly) {
  add("alice@example.org");
  const std::string one = token_of("alice@example.org");
  const std::string two = token_of("alice@example.org");
  EXPECT_TRUE(run(sign_in.logout(*who(one), never())));
  EXPECT_FALSE(who(one));
  EXPECT_TRUE(who(two));
}

TEST_F(SignInTest, LogoutSucceedsWhenTheSessionIsOverAlready) {
  add("alice@example.org");
  const Principal alice = *who(token_of("alice@example.org"));
  sessions.rows.clear();
  EXPECT_TRUE(run(sign_in.logout(alice, never())));
  sessions.failure = Error{.code = ErrorCode::unavailable};
  EXPECT_EQ(run(sign_in.logout(alice, never())).error().code, ErrorCode::unavailable);
}

TEST_F(SignInTest, LogoutAllEndsEverySessionAndALaterLoginWorks) {
  add("alice@example.org");
  add("bob@example.org");
  const std::string one = token_of("alice@example.org");
  const std::string two = token_of("alice@example.org");
  const std::string bob = token_of("bob@example.org");
  EXPECT_TRUE(run(sign_in.logout_all(*who(one), never())));
  EXPECT_FALSE(who(one));
  EXPECT_FALSE(who(two));
  EXPECT_TRUE(who(bob));
  EXPECT_TRUE(who(token_of("alice@example.org")));
}

TEST_F(SignInTest, PeopleSeeAndEndTheirOwnSessionsOnly) {
  add("alice@example.org");
  add("bob@example.org");
  const Principal alice = *who(token_of("alice@example.org"));
  clock.advance(1s);
  const Principal again = *who(token_of("alice@example.org"));
  const Principal bob = *who(token_of("bob@example.org"));
  const auto listed = run(sign_in.sessions(alice, never()));
  ASSERT_EQ(listed->size(), 2u);
  EXPECT_EQ(listed->front()->id, again.session().id) << "newest first";
  EXPECT_EQ(run(sign_in.end_session(bob, alice.session().id, never())).error().code,
            ErrorCode::not_found);
  EXPECT_TRUE(run(sign_in.end_session(alice, again.session().id, never())));
  EXPECT_EQ(run(sign_in.sessions(alice, never()))->size(), 1u);
}

TEST_F(SignInTest, NoCallOfTheSessionStoreIsGivenMoreThanTheTimeOfAStore) {
  add("alice@example.org");
  const Principal alice = *who(token_of("alice@example.org"));
  EXPECT_TRUE(run(sign_in.sessions(alice, never())));
  EXPECT_TRUE(run(sign_in.logout(alice, never())));
  EXPECT_EQ(sessions.deadlines, std::vector(4, clock.now() + SignIn::Options{}.store_time));
}

}  // namespace
}  // namespace um
