#include "service/user_rules.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/users_stage.hpp"
#include "user/time_text.hpp"

namespace um {
namespace {

using test::is;
using ::testing::ElementsAre;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

template <class T>
Member<T> null() {
  return {.present = true};
}

User ada() {
  User user{.id = *UserId::from(42), .email = *Email::parse("Ada@Example.org")};
  user.username = "ada";
  user.first_name = "Ada";
  user.last_name = "Lovelace";
  user.quota_usd = Usd::parse("12.5");
  user.used_usd = *Usd::parse("0.01");
  user.model_capability_settings = R"({"a":1,"b":[true]})";
  user.created_at = *parse_time("2026-01-01T00:00:00Z");
  user.updated_at = *parse_time("2026-02-01T00:00:00.5Z");
  user.version = 7;
  return user;
}

// The answer of GET, member by member.
UserInput as_read() {
  UserInput input;
  input.id = is<std::int64_t>(42);
  input.email = is("Ada@Example.org");
  input.username = is("ada");
  input.first_name = is("Ada");
  input.last_name = is("Lovelace");
  input.role = is("user");
  input.is_active = is(true);
  input.quota_usd = is("12.5");
  input.used_usd = is("0.01");
  input.model_capability_settings = is(R"({"a":1,"b":[true]})");
  input.created_at = is("2026-01-01T00:00:00Z");
  input.updated_at = is("2026-02-01T00:00:00.5Z");
  input.last_login_at = null<std::string>();
  input.version = is<std::int64_t>(7);
  return input;
}

constexpr Editing kSelfPatch{.kind = EditKind::patch, .of_oneself = true};
constexpr Editing kSelfReplace{.kind = EditKind::replace, .of_oneself = true};
constexpr Editing kAdminPatch{.kind = EditKind::patch, .by_admin = true};
constexpr Editing kAdminReplace{.kind = EditKind::replace, .by_admin = true};
constexpr std::array kEverybody{kSelfPatch, kSelfReplace, kAdminPatch, kAdminReplace};

std::vector<std::pair<std::string, std::string>> faults(const Result<Edit>& edit) {
  std::vector<std::pair<std::string, std::string>> list;
  if (edit) return list;
  for (const FieldError& field : edit.error().fields) list.emplace_back(field.field, field.code);
  return list;
}

TEST(UserEdit, WhatGetGaveCanBeSentBack) {
  for (const Editing& editing : kEverybody) {
    const auto edit = plan_edit(ada(), as_read(), editing);
    ASSERT_TRUE(edit) << edit.error().detail;
    EXPECT_TRUE(edit->change.empty());
    EXPECT_FALSE(edit->password);
  }
}

TEST(UserEdit, ValuesThatMeanTheSameAreTheSame) {
  UserInput input = as_read();
  input.quota_usd = is("12.500000");
  input.used_usd = is("0.010");
  input.created_at = is("2026-01-01T08:00:00+08:00");
  input.updated_at = is("2026-02-01T00:00:00.500Z");
  input.model_capability_settings = is(R"({"b":[true],"a":1})");
  for (const Editing& editing : kEverybody) {
    const auto edit = plan_edit(ada(), input, editing);
    ASSERT_TRUE(edit) << edit.error().detail;
    EXPECT_TRUE(edit->change.empty());
  }
}

TEST(UserEdit, ReplacingNeedsThreeMembers) {
  EXPECT_THAT(faults(plan_edit(ada(), {}, kSelfReplace)),
              ElementsAre(Pair("email", "required"), Pair("first_name", "required"),
                          Pair("last_name", "required")));
  UserInput nulls;
  nulls.email = nulls.first_name = nulls.last_name = null<std::string>();
  EXPECT_EQ(faults(plan_edit(ada(), nulls, kSelfReplace)).size(), 3U);
  EXPECT_TRUE(plan_edit(ada(), {}, kSelfPatch));
}

TEST(UserEdit, OnlyWhatDiffersIsChanged) {
  UserInput input;
  input.email = is("ada@example.org");
  input.first_name = is("Augusta");
  input.last_name = is("Lovelace");
  const auto edit = plan_edit(ada(), input, kSelfReplace);
  ASSERT_TRUE(edit);
  EXPECT_EQ(edit->change.email->text(), "ada@example.org");
  EXPECT_EQ(edit->change.first_name, "Augusta");
  EXPECT_FALSE(edit->change.last_name);
}

TEST(UserEdit, NullRemovesWhatCanBeMissing) {
  UserInput input;
  input.first_name = null<std::string>();
  input.username = null<std::string>();
  input.quota_usd = null<std::string>();
  input.model_capability_settings = null<std::string>();
  const auto edit = plan_edit(ada(), input, kAdminPatch);
  ASSERT_TRUE(edit);
  EXPECT_EQ(edit->change.first_name, "");
  ASSERT_TRUE(edit->change.username && edit->change.quota_usd);
  EXPECT_FALSE(edit->change.username->has_value());
  EXPECT_FALSE(edit->change.quota_usd->has_value());
  EXPECT_FALSE(edit->change.model_capability_settings.value().has_value());
}

TEST(UserEdit, NullIsRefusedForWhatCannotBeMissing) {
  UserInput input;
  input.email = null<std::string>();
  input.role = null<std::string>();
  input.is_active = null<bool>();
  input.password = null<Secret>();
  EXPECT_THAT(faults(plan_edit(ada(), input, kAdminPatch)),
              UnorderedElementsAre(Pair("email", "null"), Pair("role", "null"),
                                   Pair("is_active", "null"), Pair("password", "null")));
}

UserInput administrated() {
  UserInput input = as_read();
  input.username = is("countess");
  input.role = is("admin");
  input.is_active = is(false);
  input.quota_usd = is("99");
  input.model_capability_settings = is(R"({"a":null,"b":null})");
  return input;
}

TEST(UserEdit, AnAdministratorPatchesEverythingThatCanBeWritten) {
  const auto edit = plan_edit(ada(), administrated(), kAdminPatch);
  ASSERT_TRUE(edit);
  EXPECT_EQ(edit->change.username, std::optional<std::string>{"countess"});
  EXPECT_EQ(edit->change.role, Role::admin);
  EXPECT_EQ(edit->change.is_active, false);
  EXPECT_EQ(edit->change.quota_usd, Usd::parse("99"));
  EXPECT_EQ(edit->change.model_capability_settings, std::optional<std::string>{"{}"});
}

TEST(UserEdit, NobodyElseDoes) {
  for (const Editing& editing : {kSelfPatch, kSelfReplace}) {
    const auto edit = plan_edit(ada(), administrated(), editing);
    ASSERT_FALSE(edit);
    EXPECT_EQ(edit.error().code, ErrorCode::forbidden);
    EXPECT_THAT(faults(edit),
                UnorderedElementsAre(Pair("username", "forbidden"), Pair("role", "forbidden"),
                                     Pair("is_active", "forbidden"), Pair("quota_usd", "forbidden"),
                                     Pair("model_capability_settings", "forbidden")));
    EXPECT_TRUE(depends_on_row(edit.error()));
  }
}

TEST(UserEdit, ReplacingDoesNotWriteWhatOnlyAPatchMay) {
  const auto edit = plan_edit(ada(), administrated(), kAdminReplace);
  ASSERT_FALSE(edit);
  EXPECT_EQ(edit.error().code, ErrorCode::invalid);
  EXPECT_EQ(faults(edit).size(), 5U);
  EXPECT_EQ(faults(edit).front().second, "read_only");
}

TEST(UserEdit, ForbiddenWeighsMoreThanInvalid) {
  UserInput input;
  input.first_name = is("\n");
  input.role = is("no such role");
  const auto edit = plan_edit(ada(), input, kSelfPatch);
  ASSERT_FALSE(edit);
  EXPECT_EQ(edit.error().code, ErrorCode::forbidden);
  EXPECT_THAT(faults(edit), ElementsAre(Pair("role", "forbidden")));
}

TEST(UserEdit, WhatCannotBeWrittenMustBeEqual) {
  UserInput input;
  input.id = is<std::int64_t>(43);
  input.version = is<std::int64_t>(8);
  input.created_at = is("2026-01-01T00:00:00.000001Z");
  input.updated_at = is("yesterday");
  for (const Editing& editing : {kSelfPatch, kAdminPatch}) {
    const auto edit = plan_edit(ada(), input, editing);
    EXPECT_THAT(
        faults(edit),
        UnorderedElementsAre(Pair("id", "read_only"), Pair("version", "read_only"),
                             Pair("created_at", "read_only"), Pair("updated_at", "read_only")));
    EXPECT_TRUE(depends_on_row(edit.error()));
  }
  UserInput nulls;
  nulls.id = null<std::int64_t>();
  nulls.used_usd = null<std::string>();
  nulls.created_at = null<std::string>();
  EXPECT_EQ(faults(plan_edit(ada(), nulls, kAdminPatch)).size(), 3U);
}

TEST(UserEdit, CountersMayBeOlderThanTheRow) {
  User row = ada();
  row.last_login_at = parse_time("2026-01-02T00:00:00Z");
  UserInput input = as_read();
  input.used_usd = is("0");
  for (const auto& login :
       {null<std::string>(), is("2026-01-01T00:00:00Z"), is("2026-01-02T01:00:00+01:00")}) {
    input.last_login_at = login;
    for (const Editing& editing : kEverybody) {
      const auto edit = plan_edit(row, input, editing);
      ASSERT_TRUE(edit) << edit.error().detail;
      EXPECT_TRUE(edit->change.empty());
    }
  }
}

TEST(UserEdit, CountersCannotBeAheadOfTheRow) {
  UserInput input = as_read();
  input.used_usd = is("0.010001");
  input.last_login_at = is("2026-01-02T00:00:00.000001Z");
  User row = ada();
  for (const auto& login : {std::optional<WallTime>{}, parse_time("2026-01-02T00:00:00Z")}) {
    row.last_login_at = login;
    const auto edit = plan_edit(row, input, kAdminPatch);
    EXPECT_THAT(faults(edit), UnorderedElementsAre(Pair("used_usd", "read_only"),
                                                   Pair("last_login_at", "read_only")));
    EXPECT_TRUE(depends_on_row(edit.error()));
  }
}

TEST(UserEdit, CountersMustBeWellFormed) {
  UserInput input;
  input.used_usd = is("-1");
  input.last_login_at = is("yesterday");
  EXPECT_THAT(
      faults(plan_edit(ada(), input, kSelfPatch)),
      UnorderedElementsAre(Pair("used_usd", "negative"), Pair("last_login_at", "not_a_time")));
}

Result<Edit> patched_settings(std::optional<std::string> current, const char* patch,
                              Editing editing = kAdminPatch) {
  User user = ada();
  user.model_capability_settings = std::move(current);
  UserInput input;
  input.model_capability_settings = is(patch);
  return plan_edit(user, input, editing);
}

TEST(UserEdit, SettingsAreMerged) {
  const auto edit = patched_settings(R"({"a":{"x":1,"y":2},"b":1.0})", R"({"a":{"x":null,"z":3}})");
  ASSERT_TRUE(edit);
  EXPECT_EQ(edit->change.model_capability_settings.value(), R"({"a":{"y":2,"z":3},"b":1.0})");
}

TEST(UserEdit, SettingsThatAreMissingAreMergedIntoAnEmptyObject) {
  const auto edit = patched_settings(std::nullopt, R"({"a":{"x":null,"z":3},"b":null})");
  ASSERT_TRUE(edit);
  EXPECT_EQ(edit->change.model_capability_settings.value(), R"({"a":{"z":3}})");
}

TEST(UserEdit, AMergeThatChangesNothingIsNoChange) {
  for (const Editing& editing : {kAdminPatch, kSelfPatch}) {
    const auto edit = patched_settings(R"({"a":1,"b":2})", R"({"b":2,"c":null})", editing);
    ASSERT_TRUE(edit);
    EXPECT_TRUE(edit->change.empty());
  }
  EXPECT_TRUE(patched_settings(R"({"a":null})", R"({"a":null})", kSelfPatch));
  EXPECT_EQ(patched_settings(R"({"a":1})", R"({"a":2})", kSelfPatch).error().code,
            ErrorCode::forbidden);
}

TEST(UserEdit, TheLimitOfSettingsIsThatOfTheResult) {
  const std::string big = "{\"a\":\"" + std::string(10'000, 'x') + "\"}";
  const std::string more = "{\"b\":\"" + std::string(10'000, 'x') + "\"}";
  EXPECT_TRUE(patched_settings(std::nullopt, more.c_str()));
  EXPECT_THAT(faults(patched_settings(big, more.c_str())),
              ElementsAre(Pair("model_capability_settings", "too_long")));
  EXPECT_TRUE(patched_settings(big, ("{\"a\":null," + more.substr(1)).c_str()));
}

TEST(UserEdit, EverythingThatIsWrongIsSaidAtOnce) {
  UserInput input;
  input.email = is("nobody");
  input.first_name = is("a\nb");
  input.last_name = is(std::string(201, 'x'));
  input.username = is("x");
  input.role = is("boss");
  input.quota_usd = is("-1");
  input.model_capability_settings = is("[]");
  input.password = is(Secret{"short"});
  const auto edit = plan_edit(ada(), input, kAdminPatch);
  EXPECT_THAT(
      faults(edit),
      UnorderedElementsAre(Pair("email", "not_an_address"), Pair("first_name", "control_character"),
                           Pair("last_name", "too_long"), Pair("username", "too_short"),
                           Pair("role", "unknown_value"), Pair("quota_usd", "negative"),
                           Pair("model_capability_settings", "not_an_object"),
                           Pair("password", "too_short")));
  EXPECT_FALSE(depends_on_row(edit.error()));
}

TEST(UserEdit, OnesOwnPasswordNeedsTheCurrentOne) {
  UserInput input;
  input.password = is(Secret{"a new and long one"});
  EXPECT_THAT(faults(plan_edit(ada(), input, kSelfPatch)),
              ElementsAre(Pair("current_password", "required")));
  EXPECT_TRUE(plan_edit(ada(), input, kAdminPatch)->password);

  input.current_password = null<Secret>();
  EXPECT_FALSE(plan_edit(ada(), input, kSelfPatch));
  input.current_password = is(Secret{"the old one"});
  const auto edit = plan_edit(ada(), input, kSelfPatch);
  ASSERT_TRUE(edit);
  EXPECT_EQ(edit->password->reveal(), "a new and long one");
  // Also an administrator's own.
  input.current_password = {};
  EXPECT_FALSE(plan_edit(ada(), input, {.by_admin = true, .of_oneself = true}));
}

TEST(UserEdit, TheNewPasswordIsNotTheNewAddress) {
  UserInput input;
  input.email = is("augusta@example.org");
  input.password = is(Secret{"augusta@example.org"});
  EXPECT_FALSE(plan_edit(ada(), input, kAdminPatch));
}

TEST(UserCreation, NeedsAnAddressAndAPassword) {
  UserInput input;
  const auto nothing = plan_creation(input, {});
  ASSERT_FALSE(nothing);
  ASSERT_EQ(nothing.error().fields.size(), 2U);

  input.email = is("New@Example.org");
  input.password = is(Secret{"a new and long one"});
  const auto creation = plan_creation(input, {});
  ASSERT_TRUE(creation);
  EXPECT_EQ(creation->user.email.text(), "New@Example.org");
  EXPECT_EQ(creation->user.first_name, "");
  EXPECT_EQ(creation->user.role, Role::user);
  EXPECT_TRUE(creation->user.is_active);
  EXPECT_EQ(creation->password->reveal(), "a new and long one");
}

TEST(UserCreation, AnAdministratorChoosesMore) {
  UserInput input;
  input.email = is("new@example.org");
  input.password = is(Secret{"a new and long one"});
  input.username = is("newbie");
  input.role = is("service");
  input.is_active = is(false);
  input.quota_usd = is("3.5");
  input.model_capability_settings = is("{\"a\": 1}");
  const auto creation = plan_creation(input, {.by_admin = true});
  ASSERT_TRUE(creation);
  EXPECT_EQ(creation->user.username, "newbie");
  EXPECT_EQ(creation->user.role, Role::service);
  EXPECT_FALSE(creation->user.is_active);
  EXPECT_EQ(creation->user.quota_usd, Usd::parse("3.5"));
  EXPECT_EQ(creation->user.model_capability_settings, "{\"a\":1}");

  const auto refused = plan_creation(input, {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::forbidden);
  EXPECT_EQ(refused.error().fields.size(), 4U);
}

TEST(UserCreation, EverythingThatIsWrongIsSaidAtOnce) {
  UserInput input;
  input.email = is("nobody");
  input.password = is(Secret{"short"});
  input.first_name = is("\x7F");
  input.last_name = is("\xFF");
  input.username = is("no good");
  input.id = is<std::int64_t>(1);
  input.version = is<std::int64_t>(1);
  input.current_password = is(Secret{"x"});
  const auto creation = plan_creation(input, {});
  ASSERT_FALSE(creation);
  EXPECT_EQ(creation.error().code, ErrorCode::invalid);
  EXPECT_EQ(creation.error().fields.size(), 8U);
}

}  // namespace
}  // namespace um
