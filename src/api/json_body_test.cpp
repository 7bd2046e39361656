#include "api/json_body.hpp"

#include <gtest/gtest.h>

#include "api/schemas.hpp"
#include "base/json_writer.hpp"

namespace um::api {
namespace {

ProblemCode refused(std::string_view text) {
  const auto value = parse_json(text);
  if (value) ADD_FAILURE() << "accepted: " << text;
  return value ? ProblemCode::not_ready : value.error().code;
}
std::string canonical(std::string_view text) {
  const auto value = parse_json(text);
  return value ? canonical_json(*value) : "refused: " + value.error().detail;
}
std::string nested(std::size_t depth) {
  return std::string(depth, '[') + std::string(depth, ']');
}

TEST(JsonBody, EveryKindOfValueIsRead) {
  EXPECT_EQ(canonical(R"( {"b": [1, -2.50, 1e3, true, null], "a": {"x": "y"}} )"),
            R"({"a":{"x":"y"},"b":[1,-2.50,1e3,true,null]})");
}

TEST(JsonBody, NumbersKeepTheirText) {
  for (const std::string number :
       {"0", "-0", "0.1", "0.10", "123456789.123456", "1.5e2", "1E+2", "18446744073709551615",
        "-9223372036854775808", "0.000000000000000000000000000001",
        "3.14159265358979323846264338327950288419716939937510582097494459"}) {
    EXPECT_EQ(canonical(number), number);
    EXPECT_EQ(canonical("[" + number + "]"), "[" + number + "]");
  }
}

TEST(JsonBody, TextIsDecodedAndWrittenAgain) {
  EXPECT_EQ(canonical(R"("\u00e9\ud83d\ude00\n\"\\\/")"),
            "\"\xC3\xA9\xF0\x9F\x98\x80\\n\\\"\\\\/\"");
}

TEST(JsonBody, WhatIsNotJsonIsRefused) {
  for (const std::string_view text :
       {"",    " ",   "{",      "}",     "[1,]", "{\"a\":1,}", "{a:1}",     "'a'",
        "nul", "01",  "+1",     ".5",    "1.",   "1e",         "NaN",       "Infinity",
        "-",   "\"a", "\"\t\"", "{} {}", "1 2",  "/**/1",      "{\"a\" 1}", "\xEF\xBB\xBF{}"}) {
    EXPECT_EQ(refused(text), ProblemCode::malformed_json) << text;
  }
}

TEST(JsonBody, TheSameNameTwiceIsRefusedAtAnyDepth) {
  EXPECT_EQ(refused(R"({"a":1,"a":2})"), ProblemCode::malformed_json);
  EXPECT_EQ(refused(R"({"a":1,"\u0061":2})"), ProblemCode::malformed_json);
  EXPECT_EQ(refused(R"({"x":[{"a":1,"b":2,"a":3}]})"), ProblemCode::malformed_json);
  EXPECT_EQ(canonical(R"({"a":{"a":1}})"), R"({"a":{"a":1}})");
}

TEST(JsonBody, InvalidUtf8IsRefused) {
  for (const std::string_view text : {"\"\xFF\"", "\"\xC0\x80\"", "\"\xED\xA0\x80\"",
                                      "\"\xF4\x90\x80\x80\"", "\"\xE2\x82\"", "{\"\xFF\":1}"}) {
    EXPECT_EQ(refused(text), ProblemCode::malformed_json);
  }
}

TEST(JsonBody, LoneSurrogatesAreRefused) {
  for (const std::string_view text : {R"("\ud800")", R"("\ud800x")", R"("\ud800\u0041")",
                                      R"("\udc00")", R"("\udc00\ud800")", R"({"\ud800":1})"}) {
    EXPECT_EQ(refused(text), ProblemCode::malformed_json) << text;
  }
}

TEST(JsonBody, DepthIsLimited) {
  EXPECT_EQ(canonical(nested(kMaxJsonDepth)), nested(kMaxJsonDepth));
  EXPECT_EQ(refused(nested(kMaxJsonDepth + 1)), ProblemCode::malformed_json);
  EXPECT_EQ(refused(std::string(60'000, '[')), ProblemCode::malformed_json);
}

TEST(JsonBody, TheNumberOfValuesIsLimited) {
  const auto array_of = [](std::size_t values) {
    std::string text = "[";
    for (std::size_t i = 0; i < values; ++i) text += i > 0 ? ",1" : "1";
    return text + "]";
  };
  EXPECT_TRUE(parse_json(array_of(kMaxJsonValues - 1)));
  EXPECT_EQ(refused(array_of(kMaxJsonValues)), ProblemCode::validation_failed);
}

TEST(JsonBody, NulIsRefusedNamingTheMember) {
  const auto value = parse_json(R"({"first_name":"a\u0000b","s":{"\u0000":1}})");
  ASSERT_FALSE(value);
  EXPECT_EQ(value.error().code, ProblemCode::validation_failed);
  ASSERT_EQ(value.error().fields.size(), 2U);
  EXPECT_EQ(value.error().fields[0].field, "first_name");
  EXPECT_EQ(value.error().fields[0].code, "nul_character");
  EXPECT_EQ(value.error().fields[1].field, "s");
}

TEST(JsonBody, NumbersOutOfRangeAreRefusedNamingTheMember) {
  for (const std::string number :
       {"1e400", "-1e400", "18446744073709551616", "-9223372036854775809", "1e99999999999",
        "1e-400", "123456789012345678901234567890"}) {
    const auto value = parse_json(R"({"quota_usd":)" + number + "}");
    ASSERT_FALSE(value) << number;
    EXPECT_EQ(value.error().code, ProblemCode::validation_failed) << number;
    ASSERT_EQ(value.error().fields.size(), 1U);
    EXPECT_EQ(value.error().fields[0].field, "quota_usd");
    EXPECT_EQ(value.error().fields[0].code, "number_out_of_range");
  }
}

std::expected<UserInput, Problem> read(std::string_view text) {
  const auto body = parse_json(text);
  if (!body) return std::unexpected(body.error());
  return read_object(*body, user_fields());
}
std::string rejected_member(std::string_view text) {
  const auto input = read(text);
  if (input) return "accepted";
  std::string names;
  for (const FieldError& error : input.error().fields)
    names += error.field + ":" + error.code + " ";
  return names;
}

TEST(JsonFields, EveryMemberArrivesAtItsPlace) {
  const auto input =
      read(R"({"email":"a@b.c","username":"u","first_name":"f","last_name":"l","password":"p",)"
           R"("current_password":"c","role":"admin","is_active":false,"quota_usd":1.50,"id":3,)"
           R"("model_capability_settings":{"z":1.0,"a":[1]},"used_usd":"0.1","created_at":"t1",)"
           R"("updated_at":"t2","last_login_at":"t3","version":-4})");
  ASSERT_TRUE(input);
  EXPECT_EQ(input->email.value, "a@b.c");
  EXPECT_EQ(input->username.value, "u");
  EXPECT_EQ(input->first_name.value, "f");
  EXPECT_EQ(input->last_name.value, "l");
  EXPECT_EQ(input->password.value->reveal(), "p");
  EXPECT_EQ(input->current_password.value->reveal(), "c");
  EXPECT_EQ(input->role.value, "admin");
  EXPECT_EQ(input->is_active.value, false);
  EXPECT_EQ(input->quota_usd.value, "1.50");
  EXPECT_EQ(input->id.value, 3);
  EXPECT_EQ(input->model_capability_settings.value, R"({"a":[1],"z":1.0})");
  EXPECT_EQ(input->used_usd.value, "0.1");
  EXPECT_EQ(input->created_at.value, "t1");
  EXPECT_EQ(input->updated_at.value, "t2");
  EXPECT_EQ(input->last_login_at.value, "t3");
  EXPECT_EQ(input->version.value, -4);
}

TEST(JsonFields, AbsentAndNullAreToldApart) {
  const auto input = read(R"({"username":null,"is_active":null,"password":null,"version":null})");
  ASSERT_TRUE(input);
  EXPECT_TRUE(input->username.present && !input->username.value);
  EXPECT_TRUE(input->is_active.present && !input->is_active.value);
  EXPECT_TRUE(input->password.present && !input->password.value);
  EXPECT_TRUE(input->version.present && !input->version.value);
  EXPECT_FALSE(input->email.present);
}

TEST(JsonFields, AmountsAreTakenFromTheirText) {
  EXPECT_EQ(read(R"({"quota_usd":0.100000000000000000001})")->quota_usd.value,
            "0.100000000000000000001");
  EXPECT_EQ(read(R"({"quota_usd":"12.000001"})")->quota_usd.value, "12.000001");
  EXPECT_EQ(read(R"({"quota_usd":9007199254740993})")->quota_usd.value, "9007199254740993");
}

TEST(JsonFields, WrongTypesAreRefusedMemberByMember) {
  EXPECT_EQ(rejected_member(R"({"email":1,"first_name":[],"last_name":{},"role":true})"),
            "email:wrong_type first_name:wrong_type last_name:wrong_type role:wrong_type ");
  EXPECT_EQ(rejected_member(
                R"({"password":1,"is_active":"true","quota_usd":true,"id":"1","version":1.0})"),
            "password:wrong_type is_active:wrong_type quota_usd:wrong_type id:wrong_type "
            "version:wrong_type ");
  EXPECT_EQ(rejected_member(R"({"model_capability_settings":[]})"),
            "model_capability_settings:wrong_type ");
  EXPECT_EQ(rejected_member(R"({"model_capability_settings":"{}"})"),
            "model_capability_settings:wrong_type ");
  EXPECT_EQ(rejected_member(R"({"id":18446744073709551615})"), "id:number_out_of_range ");
}

TEST(JsonFields, UnknownMembersAreNamed) {
  EXPECT_EQ(rejected_member(R"({"password_hash":"x","Email":"a@b.c"})"),
            "password_hash:unknown_field Email:unknown_field ");
}

TEST(JsonFields, TheListOfErrorsIsBounded) {
  std::string body = "{";
  for (int i = 0; i < 1000; ++i) body += (i > 0 ? ",\"x" : "\"x") + std::to_string(i) + "\":1";
  const auto input = read(body + "}");
  ASSERT_FALSE(input);
  EXPECT_EQ(input.error().fields.size(), kMaxFieldErrors);
}

TEST(JsonFields, OnlyAnObjectWillDo) {
  for (const std::string_view text : {"[]", "null", "1", "\"x\"", "true"}) {
    EXPECT_EQ(rejected_member(text), ":wrong_type ") << text;
  }
}

TEST(Schemas, AUserIsAnsweredWithTheMembersThatAreDeclared) {
  const auto record = make_record({.id = *UserId::from(1), .email = *Email::parse("a@b.c")});
  const auto json = parse_json(record->json);
  ASSERT_TRUE(json);
  const auto declared = members_of(Schema::user);
  EXPECT_EQ(json->members.size(), declared.size());
  for (const SchemaMember& member : declared) {
    EXPECT_TRUE(json->find(member.property.name)) << member.property.name;
  }
}

}  // namespace
}  // namespace um::api
