#include "api/access.hpp"

#include <gtest/gtest.h>

#include "api/routes.hpp"

namespace um::api {
namespace {

Principal principal(Role role) {
  const UserId id = *UserId::from(7);
  auto user = make_record({.id = id, .email = *Email::parse("a@b.c"), .role = role});
  auto session = std::make_shared<const Session>(Session{.id = SessionId::random(), .user_id = id});
  return {std::move(user), std::move(session)};
}

struct Row {
  Access access;
  ReadAccess reading;
  // nobody, stranger, self, service, admin
  std::string_view allowed;
};

class Rules : public ::testing::TestWithParam<Row> {};

TEST_P(Rules, AreWhatTheTableSays) {
  const auto [access, reading, allowed] = GetParam();
  const auto ask = [&](const Caller& caller, Self self) {
    return allows(access, reading, caller, self) ? 'y' : 'n';
  };
  const std::string got{ask(std::nullopt, Self::no), ask(principal(Role::user), Self::no),
                        ask(principal(Role::user), Self::yes),
                        ask(principal(Role::service), Self::no),
                        ask(principal(Role::admin), Self::no)};
  EXPECT_EQ(got, allowed) << to_string(access);
}

constexpr auto kPrivate = ReadAccess::private_;
constexpr auto kPublic = ReadAccess::public_;
INSTANTIATE_TEST_SUITE_P(
    Access, Rules,
    ::testing::Values(
        Row{Access::anyone, kPrivate, "yyyyy"}, Row{Access::anyone_known, kPrivate, "yyyyy"},
        Row{Access::signed_in, kPrivate, "nyyyy"}, Row{Access::self_or_admin, kPrivate, "nnyny"},
        Row{Access::self_or_reader, kPrivate, "nnyyy"}, Row{Access::reader, kPrivate, "nnnyy"},
        Row{Access::admin_or_service, kPrivate, "nnnyy"}, Row{Access::admin, kPrivate, "nnnny"},
        Row{Access::signed_in, kPublic, "nyyyy"}, Row{Access::self_or_admin, kPublic, "nnyny"},
        Row{Access::self_or_reader, kPublic, "yyyyy"}, Row{Access::reader, kPublic, "yyyyy"},
        Row{Access::admin_or_service, kPublic, "nnnyy"}, Row{Access::admin, kPublic, "nnnny"}));

TEST(Access, ServicesChangeNobody) {
  using enum http::Method;
  const Caller robot = principal(Role::service);
  int changes = 0;
  for (const Route& route : routes()) {
    const bool writes = route.method == put || route.method == patch || route.method == del;
    if (!writes || !route.name.starts_with("user_")) continue;
    ++changes;
    for (const ReadAccess reading : {kPrivate, kPublic}) {
      EXPECT_FALSE(allows(route.access, reading, robot, Self::yes)) << route.name;
      EXPECT_FALSE(allows(route.access, reading, robot, Self::no)) << route.name;
    }
  }
  EXPECT_EQ(changes, 3);
}

TEST(TokenOf, TheSchemeBearerOrTheBareTokenIsTaken) {
  for (const std::string_view field :
       {"abc", "Bearer abc", "bearer abc", "BEARER   abc", "Bearer\tabc", " abc "}) {
    EXPECT_EQ(token_of(field), "abc") << field;
  }
  EXPECT_EQ(token_of("bearerabc"), "bearerabc");
  EXPECT_EQ(token_of(""), "");
  EXPECT_EQ(token_of("Bearer"), "");
  EXPECT_EQ(token_of("Bearer "), "");
  EXPECT_EQ(token_of("Basic abc"), "Basic abc");
}

}  // namespace
}  // namespace um::api
