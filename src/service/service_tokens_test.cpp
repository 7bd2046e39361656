#include "service/service_tokens.hpp"

#include <gtest/gtest.h>

#include "support/sign_in_stage.hpp"

namespace um {
namespace {

using namespace std::chrono_literals;
using test::run;

class ServiceTokensTest : public ::testing::Test, protected SignInStage {
 protected:
  ServiceTokensTest() : id_{add("robot@example.org", {.role = Role::service})->user.id} {}

  static Email robot() { return *Email::parse("robot@example.org"); }
  Result<ServiceTokens::Created> create(ServiceTokens::Create request) {
    return *run(may_fail(service_tokens.create(std::move(request), never())));
  }
  std::string token(std::chrono::seconds ttl = 90 * 24h) {
    return std::string{create({.owner = robot(), .ttl = ttl, .label = "ci"})->token.reveal()};
  }

  UserId id_;
};

TEST_F(ServiceTokensTest, ATokenSignsInUntilItExpires) {
  const std::string one = token(365 * 24h);
  clock.advance(365 * 24h - 1s);
  const auto principal = who(one);
  ASSERT_TRUE(principal);
  EXPECT_TRUE(principal->is_service());
  EXPECT_EQ(principal->session().kind, SessionKind::service_token);
  clock.advance(1s);
  EXPECT_FALSE(who(one));
}

TEST_F(ServiceTokensTest, ItDoesNotCountAsALogin) {
  token();
  EXPECT_FALSE(users.rows.at(id_).user.last_login_at);
}

TEST_F(ServiceTokensTest, OnlyActiveServiceUsersHaveThem) {
  add("human@example.org");
  add("admin@example.org", {.role = Role::admin});
  add("retired@example.org", {.active = false, .role = Role::service});
  for (const char* email : {"human@example.org", "admin@example.org", "retired@example.org"}) {
    EXPECT_EQ(create({.owner = *Email::parse(email)}).error().code, ErrorCode::forbidden) << email;
  }
  EXPECT_EQ(create({.owner = *Email::parse("unknown@example.org")}).error().code,
            ErrorCode::not_found);
  EXPECT_TRUE(sessions.rows.empty());
}

TEST_F(ServiceTokensTest, TheLifetimeAndTheLabelAreChecked) {
  for (const auto ttl : {0s, -1s, std::chrono::seconds{365 * 24h} + 1s}) {
    const auto refused = create({.owner = robot(), .ttl = ttl});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::invalid);
    EXPECT_EQ(refused.error().fields.at(0).field, "ttl");
  }
  EXPECT_FALSE(create({.owner = robot(), .label = std::string(201, 'x')}));
  EXPECT_FALSE(create({.owner = robot(), .label = "a\nb"}));
}

TEST_F(ServiceTokensTest, ItEndsWithTheRoleOfItsOwner) {
  const std::string one = token();
  users.rows.at(id_).user.role = Role::admin;
  EXPECT_FALSE(who(one)) << "a token for reading must not become one for everything";
  users.rows.at(id_).user.role = Role::service;
  EXPECT_TRUE(who(one));
}

TEST_F(ServiceTokensTest, ARevokedOneIsOverAndTheOthersGoOn) {
  const auto one = create({.owner = robot()});
  const std::string other = token();
  ASSERT_TRUE(run(service_tokens.revoke({.owner = robot(), .token = one->session->id}, never())));
  EXPECT_FALSE(who(std::string{one->token.reveal()}));
  EXPECT_TRUE(who(other));
  EXPECT_EQ(run(service_tokens.revoke({.owner = robot(), .token = one->session->id}, never()))
                .error()
                .code,
            ErrorCode::not_found);
}

TEST_F(ServiceTokensTest, LoginsAreNeitherListedNorRevokedHere) {
  const Principal human = *who(token_of("robot@example.org"));
  token();
  const auto listed = run(service_tokens.list(robot(), never()));
  ASSERT_EQ(listed->size(), 1u);
  EXPECT_EQ(listed->front()->kind, SessionKind::service_token);
  EXPECT_EQ(listed->front()->user_agent, "ci");
  EXPECT_EQ(run(service_tokens.revoke({.owner = robot(), .token = human.session().id}, never()))
                .error()
                .code,
            ErrorCode::not_found);
}

}  // namespace
}  // namespace um
