#include "base/siphash.hpp"

#include <string>

#include <gtest/gtest.h>

namespace um {
namespace {

// The key of the paper and of the reference implementation's vectors: the bytes 00 to 0f.
constexpr SipKey kReference{.k0 = 0x0706050403020100U, .k1 = 0x0f0e0d0c0b0a0908U};

// Appendix A of the paper: input 00 01 … 0e.
TEST(SipHash, TheVectorOfThePaperComesOut) {
  std::string input;
  for (char c = 0; c < 15; ++c) input += c;
  EXPECT_EQ(siphash_2_4(kReference, input), 0xa129ca6149be45e5U);
}

TEST(SipHash, WithFewerRoundsTheVectorOfTheReferenceImplementationComesOut) {
  EXPECT_EQ(siphash_1_3(kReference, ""), 0xabac0158050fc4dcU);
}

TEST(SipHash, EveryByteAndTheLengthCount) {
  for (const auto hash : {siphash_2_4, siphash_1_3}) {
    EXPECT_NE(hash(kReference, "user:1"), hash(kReference, "user:2"));
    EXPECT_NE(hash(kReference, "12345678"), hash(kReference, "12345679"));
    EXPECT_NE(hash(kReference, {"\0", 1}), hash(kReference, {"\0\0", 2}));
  }
}

TEST(SipHash, AnotherKeyGivesAnotherHash) {
  EXPECT_NE(siphash_1_3({.k0 = 1, .k1 = 2}, "somebody"),
            siphash_1_3({.k0 = 1, .k1 = 3}, "somebody"));
  EXPECT_NE(siphash_2_4(SipKey::random(), "somebody"), siphash_2_4(SipKey::random(), "somebody"));
}

}  // namespace
}  // namespace um
