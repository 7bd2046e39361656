// How long a TokenAuthority goes on with the keys that it has read.
#include <gtest/gtest.h>

#include "auth/tokens/token_authority.hpp"
#include "storage/testing/memory_stores.hpp"
#include "support/run_task.hpp"

namespace um {
namespace {

using namespace std::chrono_literals;
using test::run;

class TokenTrust : public ::testing::Test {
 protected:
  TokenTrust() {
    EXPECT_TRUE(run(authority_.start(Deadline::never())));
    const auto made = authority_.sign({.user = *UserId::from(42),
                                       .session = SessionId::random(),
                                       .issued_at = clock_.wall_now(),
                                       .expires_at = clock_.wall_now() + 1h});
    token_ = std::string{made->reveal()};
  }
  bool verifies_now() {
    const auto answer = authority_.verify_now(token_);
    return answer && *answer;
  }
  // Nothing: it verifies.
  std::optional<ErrorCode> refusal() {
    const auto task = [&]() -> Task<std::optional<ErrorCode>> {
      auto subject = co_await authority_.verify(token_, Deadline::after(clock_, 500ms));
      if (subject) co_return std::nullopt;
      co_return subject.error().code;
    };
    return run(task());
  }
  void revoke_elsewhere() { store_.rows.front().revoked_at = clock_.wall_now(); }

  ManualClock clock_;
  test::MemorySigningKeyStore store_;
  TokenAuthority authority_{store_, clock_, {.staleness_bound = 1s}};
  std::string token_;
};

TEST_F(TokenTrust, KeysThatMayHaveChangedAreReadBeforeAnythingVerifies) {
  EXPECT_TRUE(verifies_now());
  authority_.keys_changed();
  EXPECT_FALSE(verifies_now());
  EXPECT_EQ(refusal(), std::nullopt);
  EXPECT_TRUE(verifies_now());
  revoke_elsewhere();
  authority_.keys_changed();
  EXPECT_EQ(refusal(), ErrorCode::unauthenticated);
}

TEST_F(TokenTrust, ChangesInQuickSuccessionAreEachReadAtOnce) {
  const int before = store_.lists;
  for (int i = 0; i < 3; ++i) {
    authority_.keys_changed();
    EXPECT_EQ(refusal(), std::nullopt);
  }
  EXPECT_EQ(store_.lists, before + 3);
}

TEST_F(TokenTrust, WhileChangedKeysCannotBeReadNothingVerifies) {
  revoke_elsewhere();
  authority_.keys_changed();
  store_.failure = Error{.code = ErrorCode::timeout};
  for (int i = 0; i < 3; ++i) EXPECT_EQ(refusal(), ErrorCode::timeout);
  authority_.keys_unchanged(clock_.now());  // says nothing about keys that were not read
  EXPECT_FALSE(verifies_now());
  store_.failure = std::nullopt;
  EXPECT_EQ(refusal(), ErrorCode::unauthenticated);
}

TEST_F(TokenTrust, KeysOfWhichNothingIsHeardAreTrustedForTheBound) {
  clock_.advance(999ms);
  EXPECT_TRUE(verifies_now());
  authority_.keys_unchanged(clock_.now());
  clock_.advance(999ms);
  EXPECT_TRUE(verifies_now());
  clock_.advance(1ms);
  EXPECT_FALSE(verifies_now());
  EXPECT_EQ(refusal(), std::nullopt);
  EXPECT_TRUE(verifies_now());
}

TEST_F(TokenTrust, WhileTheDatabaseIsAwayOldKeysServeAsLongAsTheOperatorAllows) {
  TokenAuthority lenient{store_, clock_, {.staleness_bound = 1s, .stale_if_error = 60s}};
  ASSERT_TRUE(run(lenient.reload(Deadline::never())));
  const auto verifies = [&] {
    const auto task = [&]() -> Task<bool> {
      const auto subject = co_await lenient.verify(token_, Deadline::after(clock_, 500ms));
      co_return subject.has_value();
    };
    return run(task());
  };
  store_.failure = Error{.code = ErrorCode::unavailable};
  clock_.advance(60s);
  EXPECT_FALSE(lenient.verify_now(token_));
  EXPECT_TRUE(verifies());
  clock_.advance(1s);
  EXPECT_FALSE(verifies());
  store_.failure = std::nullopt;
  EXPECT_TRUE(verifies());
  store_.failure = Error{.code = ErrorCode::unavailable};
  lenient.keys_changed();
  EXPECT_FALSE(verifies()) << "they were changed";
}

TEST_F(TokenTrust, NewsFromBeforeTheKeysWereReadShortenNothing) {
  const BootTime earlier = clock_.now();
  clock_.advance(900ms);
  EXPECT_TRUE(run(authority_.reload(Deadline::never())));
  authority_.keys_unchanged(earlier);
  clock_.advance(900ms);
  EXPECT_TRUE(verifies_now());
}

// The question may have gone to the database before the change was made.
TEST_F(TokenTrust, KeysThatWereAskedForBeforeTheChangeAreNotTrusted) {
  class Slow final : public SigningKeyStore {
   public:
    explicit Slow(test::MemorySigningKeyStore& store) : store_{store} {}
    Task<Result<std::vector<SigningKey>>> list(Deadline deadline) override {
      auto keys = co_await store_.list(deadline);
      if (while_asked) while_asked();
      co_return keys;
    }
    Task<Result<SigningKey>> insert_first(SigningKey key, Deadline deadline) override {
      return store_.insert_first(std::move(key), deadline);
    }
    Task<Result<void>> rotate(Rotate request, Deadline deadline) override {
      return store_.rotate(std::move(request), deadline);
    }
    Task<Result<void>> revoke(Revoke request, Deadline deadline) override {
      return store_.revoke(std::move(request), deadline);
    }
    std::function<void()> while_asked;

   private:
    test::MemorySigningKeyStore& store_;
  };
  Slow slow{store_};
  TokenAuthority authority{slow, clock_, {.staleness_bound = 1s}};
  slow.while_asked = [&] { authority.keys_changed(); };
  EXPECT_TRUE(run(authority.reload(Deadline::never())));
  EXPECT_FALSE(authority.verify_now(token_));
  slow.while_asked = nullptr;
  EXPECT_TRUE(run(authority.reload(Deadline::never())));
  EXPECT_TRUE(authority.verify_now(token_));
}

}  // namespace
}  // namespace um
