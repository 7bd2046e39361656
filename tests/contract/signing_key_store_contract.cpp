#include "contract/storage_under_test.hpp"

namespace um::test {
namespace {

using namespace std::chrono_literals;

SigningKey key(std::string kid, WallTime created_at) {
  return {.kid = std::move(kid),
          .public_key = std::string{"public\0bytes", 12},
          .private_key = Secret{std::string{"private\0bytes", 13}},
          .created_at = created_at};
}

TEST_P(SigningKeyStoreContract, TheFirstKeyWinsAndIsGivenToTheOthers) {
  const auto first = run(keys().insert_first(key("a", clock().wall_now()), kNever));
  ASSERT_TRUE(first);
  EXPECT_EQ(first->kid, "a");
  const auto second = run(keys().insert_first(key("b", clock().wall_now()), kNever));
  ASSERT_TRUE(second);
  EXPECT_EQ(second->kid, "a");
  EXPECT_EQ(second->public_key, (std::string{"public\0bytes", 12}));
  EXPECT_EQ(second->private_key, Secret(std::string{"private\0bytes", 13}));
  EXPECT_EQ(second->created_at, clock().wall_now());
  EXPECT_EQ(run(keys().list(kNever))->size(), 1U);
}

TEST_P(SigningKeyStoreContract, RotationRetiresTheOthersForAWhile) {
  ASSERT_TRUE(run(keys().insert_first(key("a", clock().wall_now()), kNever)));
  clock().advance(1h);
  const WallTime now = clock().wall_now();
  ASSERT_TRUE(run(
      keys().rotate({.key = key("b", now), .now = now, .old_verify_until = now + 24h}, kNever)));
  const auto all = run(keys().list(kNever)).value();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].kid, "b");
  EXPECT_FALSE(all[0].retired_at);
  EXPECT_EQ(all[1].kid, "a");
  EXPECT_EQ(all[1].retired_at, now);
  EXPECT_EQ(all[1].verify_until, now + 24h);
  EXPECT_EQ(run(keys().insert_first(key("c", now), kNever))->kid, "b");
  EXPECT_EQ(code(run(keys().rotate(
                {.key = key("a", now), .now = now, .old_verify_until = now + 24h}, kNever))),
            ErrorCode::conflict);
  EXPECT_EQ(run(keys().insert_first(key("c", now), kNever))->kid, "b");
}

TEST_P(SigningKeyStoreContract, ARevokedKeySignsNoMore) {
  ASSERT_TRUE(run(keys().insert_first(key("a", clock().wall_now()), kNever)));
  EXPECT_EQ(code(run(keys().revoke({.kid = "x", .now = clock().wall_now()}, kNever))),
            ErrorCode::not_found);
  ASSERT_TRUE(run(keys().revoke({.kid = "a", .now = clock().wall_now()}, kNever)));
  EXPECT_EQ(run(keys().list(kNever)).value().at(0).revoked_at, clock().wall_now());
  EXPECT_EQ(run(keys().insert_first(key("b", clock().wall_now()), kNever))->kid, "b");
}

TEST_P(SigningKeyStoreContract, KeysThatAreLongDeadAreNotListed) {
  ASSERT_TRUE(run(keys().insert_first(key("a", clock().wall_now()), kNever)));
  const WallTime now = clock().wall_now();
  ASSERT_TRUE(run(
      keys().rotate({.key = key("b", now), .now = now, .old_verify_until = now + 24h}, kNever)));
  clock().advance(24h * 60);
  const auto all = run(keys().list(kNever)).value();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].kid, "b");
}

}  // namespace
}  // namespace um::test
