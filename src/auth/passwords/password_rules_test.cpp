#include "auth/passwords/password_rules.hpp"

#include <gtest/gtest.h>

namespace um {
namespace {

std::string code(std::string password, std::string_view email = {}) {
  const Secret secret{std::move(password)};
  const auto error = check_new_password({.password = secret, .email = email});
  if (!error) return "";
  EXPECT_EQ(error->field, "password");
  return error->code;
}

TEST(PasswordRules, LengthsAreBytes) {
  EXPECT_EQ(code("xK7#pQz"), "too_short");
  EXPECT_EQ(code("xK7#pQz2"), "");
  EXPECT_EQ(code("日本語"), "");  // nine bytes
  const std::string varied =
      "one-two-three-four-five-six-seven-eight-nine-ten-eleven-twelve-thirteen";
  EXPECT_EQ(code(varied.substr(0, 71) + "!"), "");
  EXPECT_EQ(code(varied.substr(0, 71) + "!!"), "too_long");
  EXPECT_EQ(code(""), "too_short");
}

TEST(PasswordRules, NulIsRefused) {
  EXPECT_EQ(code(std::string("abc\0defgh", 9)), "invalid_character");
}

TEST(PasswordRules, TheEMailAddressIsRefusedWithoutCase) {
  EXPECT_EQ(code("Alice@Example.org", "alice@example.ORG"), "same_as_email");
  EXPECT_EQ(code("alice@example.org1", "alice@example.org"), "");
}

TEST(PasswordRules, CommonOnesAreRefused) {
  for (const std::string_view password :
       {"password",      "Password",   "PASSWORD1",      "password123",   "P@ssw0rd!",
        "p4$$w0rd",      "12345678",   "123456789",      "1234567890",    "87654321",
        "11111111",      "00000000",   "abcabcabc",      "abcdabcd",      "qwertyuiop",
        "Qwerty123!",    "poiuytrewq", "asdfghjkl",      "1q2w3e4r",      "1qaz2wsx",
        "iloveyou",      "iloveyou!",  "sunshine",       "Sunshine2024!", "dragon2024!",
        "letmein123",    "welcome1",   "welcomewelcome", "trustno1",      "superman1",
        "football",      "baseball99", "abcdefgh",       "hgfedcba",      "admin123",
        "administrator", "changeme!",  "passw0rd",       "!!password!!",  "2024dragon"}) {
    EXPECT_TRUE(is_common_password(password)) << password;
  }
  EXPECT_EQ(code("password123"), "common_password");
}

TEST(PasswordRules, OthersAreNot) {
  for (const std::string_view password :
       {"correct horse battery staple", "xK7#pQz2", "Tr0ub4dor&3x", "sunshine over the sea",
        "dragonfly-wings", "my dog ate 3 shoes", "ein Passwort mit Sinn", "qwerty is not enough",
        "пароль-не-для-всех", "aB3$aB4$aB5$"}) {
    EXPECT_FALSE(is_common_password(password)) << password;
  }
}

}  // namespace
}  // namespace um
