#include "user/user.hpp"

#include <gtest/gtest.h>

#include "user/time_text.hpp"

namespace um {
namespace {

User ada() {
  User user{.id = *UserId::from(42), .email = *Email::parse("Ada@Example.org")};
  user.username = "ada";
  user.first_name = "Ada";
  user.last_name = "King \"Lovelace\"";
  user.role = Role::admin;
  user.quota_usd = Usd::parse("12.5");
  user.used_usd = *Usd::parse("0.0123");
  user.model_capability_settings = R"({"m":{"vision":true}})";
  user.created_at = *parse_time("2026-11-22T01:35:29.123456Z");
  user.updated_at = *parse_time("2026-11-22T01:35:30Z");
  user.last_login_at = *parse_time("2026-11-23T00:00:00.1Z");
  user.version = 7;
  user.counters_version = 9;
  user.auth_epoch = 11;
  return user;
}

TEST(UserRecord, HasEveryMemberInOrder) {
  EXPECT_EQ(make_record(ada())->json,
            R"({"id":42,"email":"Ada@Example.org","username":"ada","first_name":"Ada",)"
            R"("last_name":"King \"Lovelace\"","role":"admin","is_active":true,"quota_usd":12.5,)"
            R"("used_usd":0.0123,"model_capability_settings":{"m":{"vision":true}},)"
            R"("created_at":"2026-11-22T01:35:29.123456Z","updated_at":"2026-11-22T01:35:30Z",)"
            R"("last_login_at":"2026-11-23T00:00:00.1Z","version":7})");
}

TEST(UserRecord, WhatIsMissingIsNull) {
  const User bare{.id = *UserId::from(1), .email = *Email::parse("a@b"), .is_active = false};
  EXPECT_EQ(make_record(bare)->json,
            R"({"id":1,"email":"a@b","username":null,"first_name":"","last_name":"","role":"user",)"
            R"("is_active":false,"quota_usd":null,"used_usd":0,"model_capability_settings":null,)"
            R"("created_at":"1970-01-01T00:00:00Z","updated_at":"1970-01-01T00:00:00Z",)"
            R"("last_login_at":null,"version":0})");
}

TEST(UserRecord, TheTagNamesVersionDigestAndCounters) {
  const UserRef record = make_record(ada());
  EXPECT_EQ(record->revision.version, 7);
  EXPECT_EQ(record->revision.digest.size(), 16U);
  EXPECT_EQ(record->revision.digest.find_first_not_of("0123456789abcdef"), std::string::npos);
  EXPECT_EQ(record->etag, "\"7-" + record->revision.digest + "-9\"");
  EXPECT_EQ(revision_of(record->user), record->revision);
}

TEST(UserRecord, EveryMemberOfTheProfileChangesTheDigest) {
  const std::string digest = make_record(ada())->revision.digest;
  const std::vector<std::function<void(User&)>> changes{
      [](User& u) { u.id = *UserId::from(43); },
      [](User& u) { u.email = *Email::parse("ada@example.org"); },
      [](User& u) { u.username.reset(); },
      [](User& u) { u.first_name += "x"; },
      [](User& u) { u.last_name = ""; },
      [](User& u) { u.role = Role::user; },
      [](User& u) { u.is_active = false; },
      [](User& u) { u.quota_usd.reset(); },
      [](User& u) { u.model_capability_settings = "{}"; },
      [](User& u) { u.created_at += std::chrono::microseconds{1}; },
      [](User& u) { u.updated_at += std::chrono::microseconds{1}; }};
  for (std::size_t i = 0; i < changes.size(); ++i) {
    User changed = ada();
    changes[i](changed);
    EXPECT_NE(make_record(changed)->revision.digest, digest) << i;
  }
}

TEST(UserRecord, CountersChangeTheTagButNotTheRevision) {
  const UserRef before = make_record(ada());
  User counted = ada();
  counted.used_usd = *Usd::parse("99");
  counted.last_login_at.reset();
  counted.counters_version = 10;
  const UserRef after = make_record(counted);
  EXPECT_EQ(after->revision, before->revision);
  EXPECT_NE(after->etag, before->etag);
}

TEST(UserRecord, TextMovedBetweenMembersIsAnotherProfile) {
  User one = ada();
  one.first_name = "ab";
  one.last_name = "c";
  User other = ada();
  other.first_name = "a";
  other.last_name = "bc";
  EXPECT_NE(revision_of(one).digest, revision_of(other).digest);
}

TEST(UserRecord, TheEpochIsNotPartOfAnything) {
  User user = ada();
  user.auth_epoch = 987654;
  EXPECT_EQ(make_record(user)->json, make_record(ada())->json);
  EXPECT_EQ(make_record(user)->etag, make_record(ada())->etag);
}

TEST(Role, HasThreeNames) {
  for (const Role role : {Role::user, Role::admin, Role::service})
    EXPECT_EQ(parse_role(to_string(role)), role);
  for (const char* text : {"", "Admin", "root", "user ", "0"})
    EXPECT_FALSE(parse_role(text)) << text;
}

}  // namespace
}  // namespace um
