#include "user/validation.hpp"

#include <gtest/gtest.h>

namespace um {
namespace {

using namespace std::string_literals;

template <class T>
std::string code_of(const Validated<T>& checked) {
  return checked ? "" : checked.error().code;
}

TEST(Validation, NamesOfEveryScriptAreTaken) {
  for (const char* name : {"", "Ada", "志明", "Иван", "O'Neill", "José María", "=1+1", "😀"}) {
    EXPECT_EQ(check_first_name(name), name);
    EXPECT_EQ(check_last_name(name), name);
  }
}

TEST(Validation, NamesAreCountedInCharacters) {
  std::string longest;
  for (int i = 0; i < 200; ++i) longest += "志";
  EXPECT_TRUE(check_first_name(longest));
  EXPECT_EQ(code_of(check_first_name(longest + "a")), "too_long");
  EXPECT_EQ(code_of(check_last_name(std::string(201, 'a'))), "too_long");
}

TEST(Validation, NamesWithoutControlCharactersOnly) {
  for (const std::string& name : {"a\nb"s, "\t"s, "a\0b"s, "\x7F"s, "\xC2\x80"s, "\x1B[31m"s})
    EXPECT_EQ(code_of(check_first_name(name)), "control_character") << testing::PrintToString(name);
  for (const std::string& name : {"\xFF"s, "\xC3"s, "\xED\xA0\x80"s})
    EXPECT_EQ(code_of(check_last_name(name)), "not_utf8") << testing::PrintToString(name);
}

TEST(Validation, ErrorsNameTheirMember) {
  EXPECT_EQ(check_first_name("\n").error().field, "first_name");
  EXPECT_EQ(check_last_name("\n").error().field, "last_name");
  EXPECT_EQ(check_email("x").error().field, "email");
  EXPECT_EQ(check_username("").error().field, "username");
  EXPECT_EQ(check_role("").error().field, "role");
  EXPECT_EQ(check_quota_usd("").error().field, "quota_usd");
  EXPECT_EQ(check_used_usd("").error().field, "used_usd");
  EXPECT_EQ(check_model_capability_settings("").error().field, "model_capability_settings");
  EXPECT_FALSE(check_email("x").error().message.empty());
}

TEST(Validation, Usernames) {
  for (const std::string& name : {"abc"s, "A.b_c-9"s, "..."s, std::string(64, 'x')})
    EXPECT_EQ(check_username(name), name);
  EXPECT_EQ(code_of(check_username("ab")), "too_short");
  EXPECT_EQ(code_of(check_username(std::string(65, 'x'))), "too_long");
  for (const std::string& name : {"a b"s, "abc@"s, "абв"s, "abc\n"s, "ab\0c"s, "a/b"s, "ab\xC3"s})
    EXPECT_EQ(code_of(check_username(name)), "bad_character") << testing::PrintToString(name);
}

TEST(Validation, EmailsThatAreTooLongAreSaidToBe) {
  EXPECT_TRUE(check_email("a@b"));
  EXPECT_EQ(code_of(check_email("a@" + std::string(253, 'b'))), "too_long");
  EXPECT_EQ(code_of(check_email("a b@c")), "not_an_address");
  EXPECT_EQ(code_of(check_email("")), "not_an_address");
}

TEST(Validation, RolesAreThree) {
  EXPECT_EQ(check_role("service"), Role::service);
  for (const char* text : {"", "ADMIN", "root", "admin "})
    EXPECT_EQ(code_of(check_role(text)), "unknown_value");
}

TEST(Validation, AmountsAreNotNegative) {
  EXPECT_EQ(check_quota_usd("0"), Usd{});
  EXPECT_EQ(check_quota_usd("12.5"), *Usd::parse("12.5"));
  EXPECT_EQ(code_of(check_quota_usd("-0.000001")), "negative");
  EXPECT_EQ(code_of(check_used_usd("-1")), "negative");
  for (const char* text : {"", "1e2", "+1", " 1", "1.", ".5", "1.0000001", "9000000001", "null"})
    EXPECT_EQ(code_of(check_quota_usd(text)), "not_an_amount") << text;
}

TEST(Validation, SettingsAreAnObjectOfBoundedSize) {
  EXPECT_EQ(check_model_capability_settings(" { \"a\" : 1.0 } "), "{\"a\":1.0}");
  const auto object_of = [](std::size_t bytes) {
    return "{\"a\":\"" + std::string(bytes - 8, 'x') + "\"}";
  };
  EXPECT_TRUE(check_model_capability_settings(object_of(kMaxSettingsBytes)));
  EXPECT_EQ(code_of(check_model_capability_settings(object_of(kMaxSettingsBytes + 1))), "too_long");
  EXPECT_EQ(code_of(check_model_capability_settings(std::string(1'000'000, ' ') + "{}")),
            "too_long");
  EXPECT_TRUE(check_model_capability_settings(std::string(20'000, ' ') + "{}"));
}

TEST(Validation, SettingsThatCannotBeStoredAreRefused) {
  const auto nested = [](std::size_t depth) {
    return "{\"a\":" + std::string(depth - 1, '[') + std::string(depth - 1, ']') + "}";
  };
  EXPECT_TRUE(check_model_capability_settings(nested(kMaxSettingsDepth)));
  EXPECT_EQ(code_of(check_model_capability_settings(nested(kMaxSettingsDepth + 1))), "too_deep");
  EXPECT_EQ(code_of(check_model_capability_settings("[]")), "not_an_object");
  EXPECT_EQ(code_of(check_model_capability_settings("null")), "not_an_object");
  EXPECT_EQ(code_of(check_model_capability_settings("{")), "not_json");
  EXPECT_EQ(code_of(check_model_capability_settings(R"({"a":"\u0000"})")), "nul_character");
  EXPECT_EQ(code_of(check_model_capability_settings(R"({"a":1,"a":1})")), "duplicate_member");
  EXPECT_EQ(code_of(check_model_capability_settings(R"({"a":1e999})")), "out_of_range");
}

TEST(FieldErrors, CollectsEverything) {
  FieldErrors errors;
  EXPECT_TRUE(errors.take(check_email("a@b")));
  EXPECT_TRUE(errors.empty());
  EXPECT_FALSE(errors.take(check_email("ab")));
  EXPECT_FALSE(errors.take(check_role("boss")));
  const Error error = std::move(errors).error("two things");
  EXPECT_EQ(error.code, ErrorCode::invalid);
  EXPECT_EQ(error.detail, "two things");
  ASSERT_EQ(error.fields.size(), 2U);
  EXPECT_EQ(error.fields[1].field, "role");
}

}  // namespace
}  // namespace um
