#include "auth/tokens/token_authority.hpp"

#include <thread>

#include <gtest/gtest.h>

#include "auth/tokens/jws.hpp"
#include "storage/testing/memory_stores.hpp"
#include "support/run_task.hpp"

namespace um {
namespace {

using namespace std::chrono_literals;
using test::run;

class TokenAuthorityTest : public ::testing::Test {
 protected:
  TokenAuthorityTest() { EXPECT_TRUE(run(authority_.start(never()))); }

  static Deadline never() { return Deadline::never(); }
  Deadline soon() const { return Deadline::after(clock_, 1s - 1ns); }
  std::string token(const TokenAuthority& by, std::chrono::seconds ttl = 1h) const {
    const auto signed_token = by.sign({.user = *UserId::from(42),
                                       .session = session_,
                                       .issued_at = clock_.wall_now(),
                                       .expires_at = clock_.wall_now() + ttl});
    return std::string{signed_token->reveal()};
  }
  std::string token() const { return token(authority_); }
  // run() needs a result that can be default-constructed.
  std::optional<Result<TokenSubject>> verify(const std::string& text, Deadline deadline) {
    const auto task = [&]() -> Task<std::optional<Result<TokenSubject>>> {
      auto subject = co_await authority_.verify(text, deadline);
      co_return subject;
    };
    return run(task());
  }
  static ErrorCode code(const std::optional<Result<TokenSubject>>& answer) {
    return answer && !*answer ? (*answer).error().code : ErrorCode::internal;
  }

  ManualClock clock_;
  test::MemorySigningKeyStore store_;
  TokenAuthority authority_{store_, clock_, {}};
  const SessionId session_ = SessionId::random();
};

TEST_F(TokenAuthorityTest, TheFirstStartMakesAKeyAndTheNextOneUsesIt) {
  ASSERT_EQ(store_.rows.size(), 1u);
  TokenAuthority second{store_, clock_, {}};
  EXPECT_TRUE(run(second.start(never())));
  EXPECT_EQ(store_.rows.size(), 1u);
  EXPECT_TRUE(*second.verify_now(token()));
}

TEST_F(TokenAuthorityTest, BeforeTheStartNothingIsSigned) {
  const TokenAuthority idle{store_, clock_, {}};
  const auto refused = idle.sign({.user = *UserId::from(1),
                                  .session = session_,
                                  .issued_at = clock_.wall_now(),
                                  .expires_at = clock_.wall_now() + 1h});
  EXPECT_EQ(refused.error().code, ErrorCode::unavailable);
  EXPECT_EQ(*idle.jwks(), R"({"keys":[]})");
}

TEST_F(TokenAuthorityTest, ATokenSaysWhoseItIs) {
  const auto subject = authority_.verify_now(token());
  ASSERT_TRUE(subject && *subject);
  EXPECT_EQ((*subject)->user.value(), 42);
  EXPECT_EQ((*subject)->session, session_);
}

TEST_F(TokenAuthorityTest, TheSignatureIsCheckedOncePerToken) {
  const std::string one = token();
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(*authority_.verify_now(one));
  EXPECT_EQ(authority_.stats().checked, 1u);
  EXPECT_EQ(authority_.stats().remembered, 4u);
}

TEST_F(TokenAuthorityTest, AnExpiredTokenIsRefusedRememberedOrNot) {
  const std::string one = token();
  const std::string other = token();
  EXPECT_TRUE(*authority_.verify_now(one));
  clock_.advance(1h);
  EXPECT_EQ(code(authority_.verify_now(one)), ErrorCode::unauthenticated);
  EXPECT_EQ(code(authority_.verify_now(other)), ErrorCode::unauthenticated);
}

TEST_F(TokenAuthorityTest, AnotherIssuersTokenIsRefused) {
  TokenAuthority other{store_, clock_, {.issuer = "another"}};
  ASSERT_TRUE(run(other.start(never())));
  EXPECT_EQ(code(authority_.verify_now(token(other))), ErrorCode::unauthenticated);
}

TEST_F(TokenAuthorityTest, GarbageIsRefusedWithoutAskingForKeys) {
  const std::string good = token();
  for (const std::string& text :
       {std::string{}, std::string{"x"}, good + "x", good.substr(1), std::string(5000, 'a'),
        std::string{"eyJhbGciOiJub25lIn0.e30."}}) {
    EXPECT_EQ(code(authority_.verify_now(text)), ErrorCode::unauthenticated) << text;
  }
  EXPECT_EQ(store_.lists, 2);
}

TEST_F(TokenAuthorityTest, AfterARotationNewTokensHaveTheNewKeyAndOldOnesVerify) {
  const std::string old = token();
  const auto kid = run(authority_.rotate(never()));
  ASSERT_TRUE(kid);
  const std::string fresh = token();
  EXPECT_EQ(parse_jws(fresh)->kid, *kid);
  EXPECT_NE(parse_jws(old)->kid, *kid);
  EXPECT_TRUE(*authority_.verify_now(old));
  EXPECT_TRUE(*authority_.verify_now(fresh));
  EXPECT_TRUE(authority_.jwks()->contains(*kid));
  EXPECT_TRUE(authority_.jwks()->contains(parse_jws(old)->kid));
}

TEST_F(TokenAuthorityTest, ARetiredKeyVerifiesUntilItsTime) {
  TokenAuthority brief{store_, clock_, {.longest_token = 2h}};
  ASSERT_TRUE(run(brief.start(never())));
  const std::string old = token(brief, 2h);
  ASSERT_TRUE(*brief.verify_now(old));
  store_.rows[0].retired_at = clock_.wall_now();
  store_.rows[0].verify_until = clock_.wall_now() + 1h;
  ASSERT_TRUE(run(brief.reload(never())));
  EXPECT_TRUE(*brief.verify_now(old));
  clock_.advance(1h);
  EXPECT_EQ(code(brief.verify_now(old)), ErrorCode::unauthenticated) << "remembered, and too late";
}

TEST_F(TokenAuthorityTest, ARevokedKeyEndsItsTokensAlsoRememberedOnes) {
  const std::string old = token();
  ASSERT_TRUE(*authority_.verify_now(old));
  const std::string kid = parse_jws(old)->kid;
  ASSERT_TRUE(run(authority_.revoke(kid, never())));
  EXPECT_FALSE(authority_.jwks()->contains(kid));
  EXPECT_EQ(code(authority_.verify_now(old)), ErrorCode::unauthenticated);
  clock_.advance(2s);
  EXPECT_EQ(code(verify(old, never())), ErrorCode::unauthenticated);
  const std::string fresh = token();
  EXPECT_NE(parse_jws(fresh)->kid, kid) << "a new signing key was made";
  EXPECT_TRUE(*authority_.verify_now(fresh));
  EXPECT_EQ(run(authority_.revoke("no such", never())).error().code, ErrorCode::not_found);
}

TEST_F(TokenAuthorityTest, AnotherInstancesRevocationCountsAfterTheNextReload) {
  const std::string old = token();
  ASSERT_TRUE(*authority_.verify_now(old));
  store_.rows[0].revoked_at = clock_.wall_now();
  ASSERT_TRUE(run(authority_.reload(never())));
  clock_.advance(1s);
  EXPECT_EQ(code(verify(old, never())), ErrorCode::unauthenticated);
}

TEST_F(TokenAuthorityTest, AReloadThatChangesNothingForgetsNothing) {
  const std::string one = token();
  ASSERT_TRUE(*authority_.verify_now(one));
  ASSERT_TRUE(run(authority_.reload(never())));
  ASSERT_TRUE(*authority_.verify_now(one));
  EXPECT_EQ(authority_.stats().checked, 1u);
}

TEST_F(TokenAuthorityTest, AnUnknownKidMakesItLookForNewKeys) {
  TokenAuthority other{store_, clock_, {}};
  ASSERT_TRUE(run(other.start(never())));
  clock_.advance(2s);
  ASSERT_TRUE(run(other.rotate(never())));
  const std::string fresh = token(other);
  EXPECT_FALSE(authority_.verify_now(fresh).has_value());
  EXPECT_TRUE(*verify(fresh, soon()));
  EXPECT_TRUE(*authority_.verify_now(fresh)) << "known from now on";
}

TEST_F(TokenAuthorityTest, UnknownKidsCauseAtMostOneReloadASecond) {
  test::MemorySigningKeyStore elsewhere;
  TokenAuthority stranger{elsewhere, clock_, {}};
  ASSERT_TRUE(run(stranger.start(never())));
  const int before = store_.lists;
  clock_.advance(2s);
  for (int i = 0; i < 20; ++i) {
    // The deadline comes before the next reload may begin, so there is nothing to wait for.
    EXPECT_EQ(code(verify(token(stranger), soon())), ErrorCode::unauthenticated);
  }
  EXPECT_EQ(store_.lists - before, 1);
  clock_.advance(1s);
  EXPECT_EQ(code(verify(token(stranger), soon())), ErrorCode::unauthenticated);
  EXPECT_EQ(store_.lists - before, 2);
}

TEST_F(TokenAuthorityTest, WhenTheDatabaseIsAwayAnUnknownKidIsNotCalledInvalid) {
  TokenAuthority other{store_, clock_, {}};
  ASSERT_TRUE(run(other.start(never())));
  clock_.advance(2s);
  ASSERT_TRUE(run(other.rotate(never())));
  const std::string fresh = token(other);
  const std::string known = token();
  store_.failure = Error{.code = ErrorCode::unavailable};
  EXPECT_EQ(code(verify(fresh, soon())), ErrorCode::unavailable);
  EXPECT_TRUE(*authority_.verify_now(known)) << "the keys that are known go on";
}

TEST_F(TokenAuthorityTest, ATokenCannotOutliveARetiredKey) {
  const auto refused = authority_.sign({.user = *UserId::from(1),
                                        .session = session_,
                                        .issued_at = clock_.wall_now(),
                                        .expires_at = clock_.wall_now() + std::chrono::days{367}});
  EXPECT_EQ(refused.error().code, ErrorCode::invalid);
}

TEST_F(TokenAuthorityTest, AdministratorsSeeNoPrivateHalves) {
  const auto keys = run(authority_.keys(never()));
  ASSERT_EQ(keys->size(), 1u);
  EXPECT_TRUE(keys->front().private_key.empty());
  EXPECT_FALSE(store_.rows.front().private_key.empty());
}

TEST_F(TokenAuthorityTest, VerifyingGoesOnWhileOtherThreadsRotate) {
  const std::string one = token();
  std::atomic<bool> stop{false};
  std::atomic<int> refused{0};
  const auto verify_all = [&] {
    while (!stop) {
      if (!*authority_.verify_now(one) || !*authority_.verify_now(token())) ++refused;
    }
  };
  {
    const std::jthread a{verify_all};
    const std::jthread b{verify_all};
    for (int i = 0; i < 5; ++i) EXPECT_TRUE(run(authority_.rotate(never())));
    stop = true;
  }
  EXPECT_EQ(refused, 0);
}

TEST_F(TokenAuthorityTest, WithASecretItSignsHs256AndReadsNoKeys) {
  const int before = store_.lists;
  const Secret secret{"0123456789abcdef-a-test-secret-xyz"};
  TokenAuthority authority{store_, clock_, {.hs256_secret = secret}};
  ASSERT_TRUE(run(authority.start(never())));
  const std::string one = token(authority);
  EXPECT_EQ(parse_jws(one)->algorithm, "HS256");
  EXPECT_TRUE(parse_jws(one)->kid.empty());
  EXPECT_TRUE(*authority.verify_now(one));
  EXPECT_EQ(*authority.jwks(), R"({"keys":[]})");
  EXPECT_EQ(code(authority.verify_now(token())), ErrorCode::unauthenticated) << "Ed25519";
  EXPECT_EQ(code(authority_.verify_now(one)), ErrorCode::unauthenticated) << "HS256";
  EXPECT_EQ(run(authority.rotate(never())).error().code, ErrorCode::invalid);
  EXPECT_EQ(store_.lists, before);
  EXPECT_THROW((TokenAuthority{store_, clock_, {.hs256_secret = Secret{"short"}}}),
               std::invalid_argument);
}

}  // namespace
}  // namespace um
