#include "auth/tokens/signing_keys.hpp"

#include <gtest/gtest.h>

#include "auth/tokens/base64url.hpp"

namespace um {
namespace {

using namespace std::chrono_literals;

const WallTime kCreated{1'700'000'000s};

// RFC 8037 appendix A.2 and A.3.
TEST(SigningKeys, TheThumbprintIsTheOneOfTheRfc) {
  const auto x = base64url_decode("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
  EXPECT_EQ(key_thumbprint(*x), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
}

TEST(SigningKeys, ANewKeyIsItsOwnAndComplete) {
  const SigningKey one = make_signing_key(kCreated);
  const SigningKey two = make_signing_key(kCreated);
  EXPECT_NE(one.kid, two.kid);
  EXPECT_EQ(one.kid, key_thumbprint(one.public_key));
  EXPECT_EQ(one.public_key.size(), 32u);
  EXPECT_EQ(one.private_key.reveal().size(), 32u);
  EXPECT_EQ(one.created_at, kCreated);
  EXPECT_TRUE(signs(one));
  EXPECT_TRUE(verifies(one, kCreated));
}

TEST(SigningKeys, NoKidLooksLikeAnOption) {
  for (int i = 0; i < 1000; ++i) EXPECT_FALSE(make_signing_key(WallTime{}).kid.starts_with('-'));
}

TEST(SigningKeys, ARetiredKeyVerifiesUntilItsTimeAndARevokedOneNever) {
  SigningKey key = make_signing_key(kCreated);
  key.retired_at = kCreated;
  key.verify_until = kCreated + 1h;
  EXPECT_FALSE(signs(key));
  EXPECT_TRUE(verifies(key, kCreated + 1h - 1us));
  EXPECT_FALSE(verifies(key, kCreated + 1h));
  key.revoked_at = kCreated;
  EXPECT_FALSE(verifies(key, kCreated));
}

TEST(SigningKeys, TheJwkSetShowsPublicHalvesOnly) {
  SigningKey key = make_signing_key(kCreated);
  const std::vector<SigningKey> two{key, make_signing_key(kCreated)};
  const std::string one = R"({"kty":"OKP","crv":"Ed25519","x":")" +
                          base64url_encode(key.public_key) + R"(","kid":")" + key.kid +
                          R"(","alg":"EdDSA","use":"sig"})";
  EXPECT_EQ(jwks_document({}), R"({"keys":[]})");
  EXPECT_EQ(jwks_document({&key, 1}), R"({"keys":[)" + one + "]}");
  EXPECT_TRUE(jwks_document(two).starts_with(R"({"keys":[)" + one + ",{"));
  EXPECT_FALSE(jwks_document(two).contains(base64url_encode(key.private_key.reveal())));
}

}  // namespace
}  // namespace um
