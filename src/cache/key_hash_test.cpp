#include "cache/key_hash.hpp"

#include <gtest/gtest.h>

namespace um {
namespace {

// The key of the reference implementation's test vectors: the bytes 00 to 0f.
constexpr KeyHash::Seed kReference{.low = 0x0706050403020100, .high = 0x0f0e0d0c0b0a0908};

TEST(KeyHash, IsSipHash13) {
  EXPECT_EQ(KeyHash{kReference}(""), 0xabac0158050fc4dcU);
}

TEST(KeyHash, EveryByteAndTheLengthCount) {
  const KeyHash hash{kReference};
  EXPECT_NE(hash("user:1"), hash("user:2"));
  EXPECT_NE(hash("12345678"), hash("12345679"));
  EXPECT_NE(hash(std::string_view{"\0", 1}), hash(std::string_view{"\0\0", 2}));
}

TEST(KeyHash, AnotherSeedGivesAnotherHash) {
  EXPECT_NE(KeyHash({.low = 1, .high = 2})("user:1"), KeyHash({.low = 1, .high = 3})("user:1"));
  const auto a = KeyHash::random_seed();
  const auto b = KeyHash::random_seed();
  EXPECT_NE(a.low, b.low);
}

}  // namespace
}  // namespace um
