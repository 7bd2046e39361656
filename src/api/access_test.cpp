#include "api/access.hpp"

#include <ostream>

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
  std::string_view name;  // of the test
  Access access;
  ReadAccess reading;
  // nobody, stranger, self, service, admin
  std::string_view allowed;
};

void PrintTo(const Row& row, std::ostream* out) {
  *out << row.name;
}

class Rules : public ::testing::TestWithParam<Row> {};

TEST_P(Rules, AreWhatTheTableSays) {
  const auto [name, access, reading, allowed] = GetParam();
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
    ::testing::Values(Row{"Anyone", Access::anyone, kPrivate, "yyyyy"},
                      Row{"AnyoneKnown", Access::anyone_known, kPrivate, "yyyyy"},
                      Row{"Registrant", Access::registrant, kPrivate, "yyyny"},
                      Row{"SignedIn", Access::signed_in, kPrivate, "nyyyy"},
                      Row{"SelfOrAdmin", Access::self_or_admin, kPrivate, "nnyny"},
                      Row{"SelfOrReader", Access::self_or_reader, kPrivate, "nnyyy"},
                      Row{"Reader", Access::reader, kPrivate, "nnnyy"},
                      Row{"AdminOrService", Access::admin_or_service, kPrivate, "nnnyy"},
                      Row{"Admin", Access::admin, kPrivate, "nnnny"},
                      Row{"SignedInInPublic", Access::signed_in, kPublic, "nyyyy"},
                      Row{"SelfOrAdminInPublic", Access::self_or_admin, kPublic, "nnyny"},
                      Row{"SelfOrReaderInPublic", Access::self_or_reader, kPublic, "yyyyy"},
                      Row{"ReaderInPublic", Access::reader, kPublic, "yyyyy"},
                      Row{"AdminOrServiceInPublic", Access::admin_or_service, kPublic, "nnnyy"},
                      Row{"AdminInPublic", Access::admin, kPublic, "nnnny"}),
    [](const auto& row) { return std::string{row.param.name}; });

TEST(Access, AServiceMayReadItselfButNotChangeItself) {
  const Caller robot = principal(Role::service);
  EXPECT_TRUE(allows(Access::self_or_reader, kPrivate, robot, Self::yes));
  EXPECT_FALSE(allows(Access::self_or_admin, kPrivate, robot, Self::yes));
}

TEST(Access, ServicesChangeNobody) {
  using enum http::Method;
  const Caller robot = principal(Role::service);
  int changes = 0;
  for (const Route& route : routes()) {
    // Usage is no change of a user: services record it.
    const bool writes = route.method != get && route.name != "user_usage";
    if (!writes || !route.name.starts_with("user_")) continue;
    ++changes;
    for (const ReadAccess reading : {kPrivate, kPublic}) {
      EXPECT_FALSE(allows(route.access, reading, robot, Self::yes)) << route.name;
      EXPECT_FALSE(allows(route.access, reading, robot, Self::no)) << route.name;
    }
  }
  EXPECT_EQ(changes, 4);
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
