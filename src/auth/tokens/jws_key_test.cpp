#include "auth/tokens/jws_key.hpp"

#include <gtest/gtest.h>

#include "base/random.hpp"

namespace um {
namespace {

std::optional<std::string> accepted(std::string file) {
  const auto secret = read_hs256_secret(Secret{std::move(file)});
  if (secret) return std::string{secret->reveal()};
  EXPECT_EQ(secret.error().code, ErrorCode::invalid);
  return std::nullopt;
}

TEST(Hs256Secret, RandomOnesAreAccepted) {
  for (int i = 0; i < 200; ++i) {
    const std::string hex = random_hex(32);
    EXPECT_EQ(accepted(hex), hex);
    std::string bytes(32, '\0');
    fill_random(std::as_writable_bytes(std::span{bytes}));
    bytes.back() = 'x';  // not a line end
    EXPECT_EQ(accepted(bytes), bytes);
  }
}

TEST(Hs256Secret, OneLineEndDoesNotBelongToIt) {
  const std::string hex = random_hex(32);
  EXPECT_EQ(accepted(hex + "\n"), hex);
  EXPECT_EQ(accepted(hex + "\r\n"), hex);
  EXPECT_EQ(accepted(hex + "\n\n"), hex + "\n");
}

TEST(Hs256Secret, ShortOnesAreRefused) {
  EXPECT_FALSE(accepted(""));
  EXPECT_FALSE(accepted("secret-key"));
  EXPECT_FALSE(accepted(random_hex(15) + "x"));
  EXPECT_FALSE(accepted(random_hex(15) + "x\n"));
}

TEST(Hs256Secret, WellKnownOnesAreRefused) {
  for (const std::string_view known :
       {"secret-keysecret-keysecret-keysecret-key", "secret-key-secret-key-secret-key-secret-key",
        "your-256-bit-secret-your-256-bit-secret", "your-256-bit-secretyour-256-bit-secret",
        "a-string-secret-at-least-256-bits-long", "A-String-Secret-At-Least-256-Bits-Long",
        "change-me-change-me-please-change-me", "my_super_secret_jwt_secret_key_2024",
        "YourSuperSecretKeyThatIsVeryLong!"}) {
    EXPECT_FALSE(accepted(std::string{known})) << known;
  }
}

TEST(Hs256Secret, ALongOneMayContainAWordIfItIsLongEnoughWithoutIt) {
  EXPECT_TRUE(accepted("k9Zq!7vT#secretmB4xW&pL2rN8yD5hJ6s1GaQ"));
  EXPECT_FALSE(accepted("k9Zq!7vT#secretmB4xW&pL2rN8yD5hJ6"));
}

}  // namespace
}  // namespace um
