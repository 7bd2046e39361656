#include "auth/passwords/bcrypt.hpp"

#include <set>

#include <gtest/gtest.h>

namespace um::bcrypt {
namespace {

// From the tests of OpenBSD's and John the Ripper's bcrypt: password "U*U", cost 5.
const std::string kKnown = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";

std::string with_prefix(char letter, std::string hash) {
  hash[2] = letter;
  return hash;
}

TEST(Bcrypt, AKnownHashVerifiesUnderAllThreePrefixes) {
  for (const char letter : {'a', 'b', 'y'}) {
    const Secret hash{with_prefix(letter, kKnown)};
    EXPECT_TRUE(verify(Secret{"U*U"}, hash));
    EXPECT_FALSE(verify(Secret{"U*U*"}, hash));
    EXPECT_FALSE(verify(Secret{""}, hash));
  }
}

// The hash that a correct implementation stores under $2a$ for a password that libxcrypt's own $2a$
// treats differently on purpose.
TEST(Bcrypt, AHashOfBytesAboveAsciiVerifiesUnderTheOldPrefix) {
  const std::string hash = "$2b$05$/OK.fbVrR/bpIqNJ5ianF.CE5elHaaO4EbggVDjb8P19RukzXSM3e";
  for (const char letter : {'a', 'b', 'y'}) {
    EXPECT_TRUE(verify(Secret{"\xff\xff\xa3"}, Secret{with_prefix(letter, hash)}));
  }
}

TEST(Bcrypt, WhatIsHashedVerifies) {
  const auto made = hash(Secret{"correct horse"}, 4);
  ASSERT_TRUE(made);
  EXPECT_TRUE(made->reveal().starts_with("$2b$04$"));
  EXPECT_EQ(supported_cost(made->reveal()), 4);
  EXPECT_TRUE(verify(Secret{"correct horse"}, *made));
  EXPECT_FALSE(verify(Secret{"Correct horse"}, *made));
}

TEST(Bcrypt, EveryHashHasItsOwnSalt) {
  std::set<std::string> hashes;
  for (int i = 0; i < 20; ++i) hashes.emplace(hash(Secret{"same"}, 4)->reveal());
  EXPECT_EQ(hashes.size(), 20u);
}

TEST(Bcrypt, SettingWantsOneTo72BytesWithoutNul) {
  EXPECT_TRUE(hash(Secret{std::string(72, 'x')}, 4));
  EXPECT_EQ(hash(Secret{std::string(73, 'x')}, 4).error().code, ErrorCode::invalid);
  EXPECT_EQ(hash(Secret{""}, 4).error().code, ErrorCode::invalid);
  EXPECT_EQ(hash(Secret{std::string("a\0b", 3)}, 4).error().code, ErrorCode::invalid);
  EXPECT_EQ(hash(Secret{"x"}, 3).error().code, ErrorCode::invalid);
  EXPECT_EQ(hash(Secret{"x"}, 15).error().code, ErrorCode::invalid);
}

TEST(Bcrypt, VerifyingReads72BytesOfAPasswordOfAnyLength) {
  const auto made = hash(Secret{std::string(72, 'x')}, 4);
  for (const std::size_t size : {73u, 511u, 512u, 513u, 4096u}) {
    EXPECT_TRUE(verify(Secret{std::string(size, 'x')}, *made)) << size;
  }
  EXPECT_FALSE(verify(Secret{std::string(71, 'x')}, *made));
}

TEST(Bcrypt, APasswordWithNulNeverMatches) {
  const auto made = hash(Secret{"secret"}, 4);
  EXPECT_FALSE(verify(Secret{std::string("secret\0more", 11)}, *made));
  EXPECT_FALSE(verify(Secret{std::string("secret\0", 7)}, *made));
}

TEST(Bcrypt, BrokenAndExpensiveHashesAreNotSupportedAndNeverMatch) {
  const std::string good{hash(Secret{"x"}, 4)->reveal()};
  const auto changed = [&](std::size_t at, char c) {
    std::string text = good;
    text[at] = c;
    return text;
  };
  for (const std::string& text : {std::string{},
                                  std::string{"*0"},
                                  std::string{"*1"},
                                  std::string{"x"},
                                  good + "x",
                                  good.substr(0, 59),
                                  changed(0, '#'),
                                  changed(1, '1'),
                                  changed(2, 'x'),
                                  changed(2, 'c'),
                                  changed(3, '0'),
                                  changed(4, 'x'),
                                  changed(5, '3'),
                                  changed(4, '1') /* cost 14 is next */,
                                  changed(6, '.'),
                                  changed(7, '$'),
                                  changed(20, '\0'),
                                  changed(59, ':'),
                                  changed(59, '\n'),
                                  std::string{"$2b$15$"} + good.substr(7),
                                  std::string{"$2b$31$"} + good.substr(7),
                                  std::string{"$2b$99$"} + good.substr(7),
                                  std::string{"$2b$00$"} + good.substr(7),
                                  std::string{"$1$abcdefgh$0123456789012345678901"},
                                  std::string{"$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA"}}) {
    if (supported_cost(text)) continue;  // cost 14 is supported, and too slow to check here
    EXPECT_FALSE(verify(Secret{"x"}, Secret{text})) << text;
  }
  EXPECT_EQ(supported_cost(changed(4, '1')), 14);
  EXPECT_FALSE(supported_cost("$2b$15$" + good.substr(7)));
  EXPECT_FALSE(supported_cost("$2b$03$" + good.substr(7)));
  EXPECT_FALSE(supported_cost("$2x$04$" + good.substr(7)));
}

TEST(Bcrypt, TheHashOfNobodyIsWellFormed) {
  EXPECT_EQ(supported_cost(unmatchable(4).reveal()), 4);
  EXPECT_EQ(supported_cost(unmatchable(12).reveal()), 12);
  EXPECT_FALSE(unmatchable(4) == unmatchable(4));
}

}  // namespace
}  // namespace um::bcrypt
