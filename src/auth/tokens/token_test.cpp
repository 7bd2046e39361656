#include "auth/tokens/token.hpp"

#include <gtest/gtest.h>

namespace um {
namespace {

using std::chrono::seconds;
using std::chrono::sys_seconds;

const std::string kSid(32, 'a');

std::string claims(std::string_view replaced = {}, std::string_view by = {}) {
  std::string json = R"({"iss":"user-manager","sub":"42","sid":")" + kSid +
                     R"(","iat":1700000000,"exp":1700086400,"jti":"t"})";
  if (const auto at = json.find(replaced); !replaced.empty() && at != std::string::npos) {
    json.replace(at, replaced.size(), by);
  }
  return json;
}

TEST(Claims, WhatIsWrittenIsReadBack) {
  const Claims written{.issuer = "https://example.org/\"x\"",
                       .subject = *UserId::from(9'223'372'036'854'775'807),
                       .session = SessionId::random(),
                       .issued_at = sys_seconds{seconds{1'700'000'000}},
                       .expires_at = sys_seconds{seconds{1'700'000'060}},
                       .token_id = "0123"};
  const auto read = decode_claims(encode_claims(written));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->issuer, written.issuer);
  EXPECT_EQ(read->subject, written.subject);
  EXPECT_EQ(read->session, written.session);
  EXPECT_EQ(read->issued_at, written.issued_at);
  EXPECT_EQ(read->expires_at, written.expires_at);
  EXPECT_EQ(read->token_id, written.token_id);
}

TEST(Claims, AllSixAreNeeded) {
  ASSERT_TRUE(decode_claims(claims()));
  for (const std::string_view name : {"iss", "sub", "sid", "iat", "exp", "jti"}) {
    const std::string quoted = '"' + std::string{name} + '"';
    EXPECT_FALSE(decode_claims(claims(quoted, "\"other\""))) << name;
  }
}

TEST(Claims, WrongTypesAndValuesAreRefused) {
  const std::pair<std::string_view, std::string_view> changes[] = {
      {R"("42")", "42"},
      {R"("42")", R"("0")"},
      {R"("42")", R"("-1")"},
      {R"("42")", R"("042")"},
      {R"("42")", R"("42 ")"},
      {R"("42")", R"("")"},
      {R"("42")", R"("9223372036854775808")"},
      {"1700000000", "\"1700000000\""},
      {"1700000000", "-1"},
      {"1700000000", "1700086401"},
      {"1700086400", "1.7e9"},
      {"1700086400", "1700086400.5"},
      {"1700086400", "253402300800"},
      {"1700086400", "1e400"},
      {"1700086400", "null"},
      {R"("t")", "true"}};
  for (const auto& [from, to] : changes) {
    EXPECT_FALSE(decode_claims(claims(from, to))) << to;
  }
  EXPECT_FALSE(decode_claims(claims(kSid, std::string(31, 'a'))));
  EXPECT_FALSE(decode_claims(claims(kSid, std::string(32, 'A'))));
  EXPECT_FALSE(decode_claims(claims(kSid, std::string(32, 'g'))));
}

TEST(Claims, AClaimThatAppearsTwiceIsRefused) {
  EXPECT_FALSE(decode_claims(claims(R"("jti":"t")", R"("jti":"t","sub":"1")")));
}

TEST(Claims, FurtherScalarsAreIgnored) {
  EXPECT_TRUE(decode_claims(claims(R"("jti":"t")", R"("jti":"t","role":"admin","x":true)")));
}

}  // namespace
}  // namespace um
