#include "auth/siphash.hpp"

#include <gtest/gtest.h>

namespace um {
namespace {

// Appendix A of the paper: key 00 01 … 0f, input 00 01 … 0e.
TEST(SipHash, TheVectorOfThePaperComesOut) {
  const SipKey key{.k0 = 0x0706050403020100U, .k1 = 0x0f0e0d0c0b0a0908U};
  std::string input;
  for (char c = 0; c < 15; ++c) input += c;
  EXPECT_EQ(siphash(key, input), 0xa129ca6149be45e5U);
}

TEST(SipHash, AnotherKeyGivesAnotherHash) {
  EXPECT_NE(siphash(SipKey::random(), "somebody"), siphash(SipKey::random(), "somebody"));
}

}  // namespace
}  // namespace um
