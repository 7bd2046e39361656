#include "contract/storage_under_test.hpp"

namespace um::test {
namespace {

using namespace std::chrono_literals;

TEST_P(UserStoreContract, WhatWasInsertedIsFoundByIdAndByEmail) {
  NewUser user = named("Ada@Example.com");
  user.username = "ada";
  user.first_name = "Ада";
  user.last_name = "Lovelace";
  user.role = Role::service;
  user.quota_usd = Usd::from_micros(1'500'000);
  user.model_capability_settings = R"({"a":1})";
  const UserRef inserted = insert(user);
  for (const UserRef& found : {find(inserted->user.id), find(email("aDA@eXAMPLE.com"))}) {
    ASSERT_TRUE(found);
    EXPECT_EQ(found->json, inserted->json);
    EXPECT_EQ(found->etag, inserted->etag);
    EXPECT_EQ(found->revision, inserted->revision);
    EXPECT_EQ(found->user.auth_epoch, inserted->user.auth_epoch);
    EXPECT_EQ(found->user.email.text(), "Ada@Example.com");
    EXPECT_EQ(found->user.first_name, "Ада");
    EXPECT_EQ(found->user.username, "ada");
    EXPECT_EQ(found->user.role, Role::service);
    EXPECT_EQ(found->user.quota_usd, Usd::from_micros(1'500'000));
    EXPECT_EQ(found->user.model_capability_settings, R"({"a":1})");
    EXPECT_EQ(found->user.created_at, clock().wall_now());
  }
}

TEST_P(UserStoreContract, AbsenceIsAFactWithAStamp) {
  const auto by_id = run(users().find(*UserId::from(77), primary()));
  const auto by_email = run(users().find(email("no@body.org"), primary()));
  for (const auto& reading : {by_id, by_email}) {
    ASSERT_TRUE(reading);
    EXPECT_FALSE(reading->value);
    EXPECT_EQ(reading->source, Source::primary);
    EXPECT_GT(reading->stamp.snapshot.xmax, 0U);
    EXPECT_NE(reading->stamp.tau, Tau{});
  }
}

TEST_P(UserStoreContract, AnEmailIsTakenInAnyCase) {
  insert(named("one@example.com"));
  EXPECT_EQ(code(run(users().insert(named("ONE@example.COM"), kNever))), ErrorCode::email_taken);
  const UserRef two = insert(named("two@example.com"));
  EXPECT_EQ(code(update(two->user.id, {.email = email("One@example.com")})),
            ErrorCode::email_taken);
  EXPECT_EQ(find(two->user.id)->json, two->json);
}

TEST_P(UserStoreContract, EmailsAreFoldedInAsciiOnly) {
  insert(named("ä@example.com"));
  EXPECT_TRUE(run(users().insert(named("Ä@example.com"), kNever)));
  EXPECT_EQ(find(email("Ä@example.com"))->user.email.text(), "Ä@example.com");
}

TEST_P(UserStoreContract, AUsernameIsTakenInAnyCase) {
  NewUser first = named("one@example.com");
  first.username = "Grace";
  insert(first);
  NewUser second = named("two@example.com");
  second.username = "gRACE";
  EXPECT_EQ(code(run(users().insert(second, kNever))), ErrorCode::username_taken);
  const UserRef without = insert(named("three@example.com"));
  insert(named("four@example.com"));  // two users without a username do not collide
  EXPECT_EQ(code(update(without->user.id, {.username = std::optional<std::string>{"GRACE"}})),
            ErrorCode::username_taken);
}

TEST_P(UserStoreContract, AGivenIdIsKeptAndCannotBeGivenTwice) {
  NewUser user = named("one@example.com");
  user.id = UserId::from(5000);
  user.used_usd = *Usd::from_micros(7);
  user.created_at = clock().wall_now() - 1h;
  EXPECT_EQ(insert(user)->user.id.value(), 5000);
  EXPECT_EQ(find(*UserId::from(5000))->user.used_usd.micros(), 7);
  EXPECT_EQ(find(*UserId::from(5000))->user.created_at, clock().wall_now() - 1h);
  user.email = email("two@example.com");
  EXPECT_EQ(code(run(users().insert(user, kNever))), ErrorCode::conflict);
  EXPECT_GT(insert(named("three@example.com"))->user.id.value(), 5000);
}

TEST_P(UserStoreContract, AnIdIsNeverUsedAgain) {
  const UserRef last = insert(named("one@example.com"));
  ASSERT_TRUE(run(users().remove({.id = last->user.id}, kNever)));
  EXPECT_GT(insert(named("one@example.com"))->user.id, last->user.id);
}

TEST_P(UserStoreContract, AnIdNearTheEndOfTheNumbersIsRefused) {
  NewUser user = named("one@example.com");
  user.id = UserId::from(std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(code(run(users().insert(user, kNever))), ErrorCode::invalid);
  EXPECT_TRUE(run(users().insert(named("two@example.com"), kNever)));
}

TEST_P(UserStoreContract, AChangeChangesWhatItNamesAndNothingElse) {
  NewUser user = named("one@example.com");
  user.first_name = "First";
  user.quota_usd = Usd::from_micros(5);
  const UserRef before = insert(user);
  clock().advance(1s);
  const auto after =
      update(before->user.id, {.last_name = "Last", .quota_usd = std::optional<Usd>{}});
  ASSERT_TRUE(after);
  EXPECT_EQ((*after)->user.first_name, "First");
  EXPECT_EQ((*after)->user.last_name, "Last");
  EXPECT_FALSE((*after)->user.quota_usd);
  EXPECT_EQ((*after)->user.created_at, before->user.created_at);
  EXPECT_EQ((*after)->user.updated_at, clock().wall_now());
  EXPECT_GT((*after)->user.version, before->user.version);
  EXPECT_EQ((*after)->user.auth_epoch, before->user.auth_epoch);
  EXPECT_EQ(find(before->user.id)->json, (*after)->json);
}

TEST_P(UserStoreContract, AChangeThatChangesNothingKeepsTheVersion) {
  const UserRef before = insert(named("one@example.com"));
  clock().advance(1s);
  const auto after = update(before->user.id, {.first_name = before->user.first_name});
  ASSERT_TRUE(after);
  EXPECT_EQ((*after)->etag, before->etag);
  EXPECT_EQ(find(before->user.id)->etag, before->etag);
}

TEST_P(UserStoreContract, TheCaseOfAnEmailCanBeChangedByItsOwner) {
  const UserRef user = insert(named("one@example.com"));
  ASSERT_TRUE(update(user->user.id, {.email = email("One@Example.com")}));
  EXPECT_EQ(find(user->user.id)->user.email.text(), "One@Example.com");
}

TEST_P(UserStoreContract, AnEmailThatWasLeftCanBeTakenByAnother) {
  const UserRef user = insert(named("old@example.com"));
  ASSERT_TRUE(update(user->user.id, {.email = email("new@example.com")}));
  EXPECT_FALSE(find(email("old@example.com")));
  EXPECT_EQ(find(email("new@example.com"))->user.id, user->user.id);
  EXPECT_TRUE(run(users().insert(named("old@example.com"), kNever)));
}

TEST_P(UserStoreContract, CompareAndSetNoticesAnotherRevision) {
  const UserRef first = insert(named("one@example.com"));
  const auto second = run(users().update(
      {.id = first->user.id, .expected = first->revision, .change = {.first_name = "A"}}, kNever));
  ASSERT_TRUE(second);
  EXPECT_EQ(code(run(users().update(
                {.id = first->user.id, .expected = first->revision, .change = {.first_name = "B"}},
                kNever))),
            ErrorCode::conflict);
  Revision other_content = (*second)->revision;
  other_content.digest = "0000000000000000";
  EXPECT_EQ(code(run(users().update(
                {.id = first->user.id, .expected = other_content, .change = {.first_name = "B"}},
                kNever))),
            ErrorCode::conflict);
  const Revision version_alone{.version = (*second)->user.version};
  EXPECT_TRUE(run(users().update(
      {.id = first->user.id, .expected = version_alone, .change = {.first_name = "C"}}, kNever)));
  EXPECT_EQ(code(run(users().remove({.id = first->user.id, .expected = first->revision}, kNever))),
            ErrorCode::conflict);
}

TEST_P(UserStoreContract, WhoIsNotThereCannotBeChanged) {
  const UserId nobody = *UserId::from(4711);
  EXPECT_EQ(code(update(nobody, {.first_name = "X"})), ErrorCode::not_found);
  EXPECT_EQ(code(run(users().remove({.id = nobody}, kNever))), ErrorCode::not_found);
  EXPECT_EQ(code(run(users().end_sessions(nobody, kNever))), ErrorCode::not_found);
  EXPECT_EQ(code(run(users().add_usage({.user = nobody, .amount = *Usd::from_micros(1)}, kNever))),
            ErrorCode::not_found);
  EXPECT_TRUE(run(users().invalidate(nobody, kNever)));
  EXPECT_TRUE(run(users().rehash({.id = nobody, .old_hash = {}, .new_hash = {}}, kNever)));
}

// Memory may still know a user whom another instance removed.
TEST_P(UserStoreContract, WhoWasKnownAndIsGoneCannotBeChanged) {
  const UserRef user = insert(named("one@example.com"));
  ASSERT_TRUE(run(users().remove({.id = user->user.id}, kNever)));
  EXPECT_EQ(code(run(users().update(
                {.id = user->user.id, .change = {.first_name = "X"}, .known = user}, kNever))),
            ErrorCode::not_found);
  EXPECT_EQ(code(run(users().remove({.id = user->user.id, .known = user}, kNever))),
            ErrorCode::not_found);
}

// What a change returns is what is stored.
TEST_P(UserStoreContract, AChangeReturnsTheRowThatIsRead) {
  NewUser wanted = named("one@example.com");
  wanted.quota_usd = Usd::from_micros(1'500'000);
  wanted.model_capability_settings = R"({"b": [1,  2.50e1], "a":"\u00e9"})";
  const UserRef user = insert(wanted);
  ASSERT_TRUE(
      run(users().add_usage({.user = user->user.id, .amount = *Usd::from_micros(7)}, kNever)));
  const auto changed = run(users().update({.id = user->user.id,
                                           .change = {.email = email("Two@example.com"),
                                                      .username = "two",
                                                      .quota_usd = Usd::from_micros(2),
                                                      .password_hash = Secret{"another"}},
                                           .known = user},
                                          kNever));
  ASSERT_TRUE(changed);
  EXPECT_EQ((*changed)->json, find(user->user.id)->json);
  EXPECT_EQ((*changed)->revision, find(user->user.id)->revision);
  EXPECT_EQ((*changed)->user.auth_epoch, find(user->user.id)->user.auth_epoch);
  EXPECT_EQ((*changed)->user.used_usd.micros(), 7);
}

TEST_P(UserStoreContract, VersionsNeverRepeatForAnId) {
  NewUser user = named("one@example.com");
  user.id = UserId::from(9);
  const UserRef first = insert(user);
  const auto second = update(first->user.id, {.first_name = "A"});
  ASSERT_TRUE(run(users().remove({.id = first->user.id}, kNever)));
  const UserRef again = insert(user);
  ASSERT_TRUE(second);
  EXPECT_GT(again->user.version, (*second)->user.version);
  EXPECT_NE(again->user.auth_epoch, first->user.auth_epoch);
}

TEST_P(UserStoreContract, TheLastActiveAdministratorStays) {
  const UserRef only = insert(admin("root@example.com"));
  NewUser disabled = admin("old@example.com");
  disabled.is_active = false;
  insert(disabled);
  const UserId id = only->user.id;
  EXPECT_EQ(code(update(id, {.role = Role::user})), ErrorCode::last_admin);
  EXPECT_EQ(code(update(id, {.is_active = false})), ErrorCode::last_admin);
  EXPECT_EQ(code(run(users().remove({.id = id}, kNever))), ErrorCode::last_admin);
  EXPECT_EQ(find(id)->json, only->json);
  EXPECT_TRUE(update(id, {.first_name = "Still"}));

  const UserRef second = insert(admin("second@example.com"));
  EXPECT_TRUE(update(id, {.role = Role::user}));
  EXPECT_EQ(code(run(users().remove({.id = second->user.id}, kNever))), ErrorCode::last_admin);
}

TEST_P(UserStoreContract, HasAdminCountsActiveAdministratorsOnly) {
  EXPECT_FALSE(run(users().has_admin(kNever)).value());
  NewUser disabled = admin("old@example.com");
  disabled.is_active = false;
  insert(disabled);
  EXPECT_FALSE(run(users().has_admin(kNever)).value());
  insert(admin("root@example.com"));
  EXPECT_TRUE(run(users().has_admin(kNever)).value());
}

TEST_P(UserStoreContract, RemovedIsGone) {
  const UserRef user = insert(named("one@example.com"));
  ASSERT_TRUE(run(users().remove({.id = user->user.id, .expected = user->revision}, kNever)));
  EXPECT_FALSE(find(user->user.id));
  EXPECT_FALSE(find(email("one@example.com")));
  EXPECT_EQ(run(users().count("one@", kNever)).value(), 0);
}

TEST_P(UserStoreContract, UsageAddsUpExactly) {
  NewUser user = named("one@example.com");
  user.quota_usd = Usd::from_micros(100);
  const UserRef before = insert(user);
  for (int i = 1; i <= 3; ++i) {
    const auto totals =
        run(users().add_usage({.user = before->user.id, .amount = *Usd::from_micros(41)}, kNever));
    ASSERT_TRUE(totals);
    EXPECT_EQ(totals->used_usd.micros(), 41 * i);  // also beyond the quota
    EXPECT_EQ(totals->quota_usd, Usd::from_micros(100));
  }
  const UserRef after = find(before->user.id);
  EXPECT_EQ(after->user.version, before->user.version);
  EXPECT_NE(after->user.counters_version, before->user.counters_version);
  EXPECT_EQ(after->revision, before->revision);
  EXPECT_NE(after->etag, before->etag);
}

TEST_P(UserStoreContract, ARepeatedIdempotencyKeyCountsOnceForADay) {
  const UserId one = insert(named("one@example.com"))->user.id;
  const UserId two = insert(named("two@example.com"))->user.id;
  const auto record = [&](UserId id, std::int64_t micros) {
    return run(users().add_usage(
        {.user = id, .amount = *Usd::from_micros(micros), .idempotency_key = "k\"%"}, kNever));
  };
  EXPECT_EQ(record(one, 5)->used_usd.micros(), 5);
  EXPECT_EQ(record(one, 5)->used_usd.micros(), 5);
  EXPECT_EQ(code(record(one, 6)), ErrorCode::conflict);
  EXPECT_EQ(record(two, 6)->used_usd.micros(), 6);  // keys are per user
  clock().advance(24h - 1us);
  EXPECT_EQ(record(one, 5)->used_usd.micros(), 5);
  clock().advance(1us);
  EXPECT_EQ(record(one, 5)->used_usd.micros(), 10);
}

TEST_P(UserStoreContract, UsageBeyondAllBoundsIsRefusedAndNotRecorded) {
  const UserId id = insert(named("one@example.com"))->user.id;
  const Usd most = *Usd::from_micros(Usd::kMaxMicros);
  ASSERT_TRUE(run(users().add_usage({.user = id, .amount = most}, kNever)));
  EXPECT_EQ(code(run(users().add_usage(
                {.user = id, .amount = *Usd::from_micros(1), .idempotency_key = "k"}, kNever))),
            ErrorCode::invalid);
  EXPECT_EQ(code(run(users().add_usage({.user = id, .amount = *Usd::from_micros(-1)}, kNever))),
            ErrorCode::invalid);
  EXPECT_EQ(find(id)->user.used_usd, most);
}

TEST_P(UserStoreContract, CredentialsAreTheStoredHash) {
  NewUser user = named("one@example.com");
  user.password_hash = Secret{"$2b$10$hash"};
  const UserId id = insert(user)->user.id;
  const auto by_id = run(users().credentials(id, kNever));
  const auto by_email = run(users().credentials(email("ONE@example.com"), kNever));
  ASSERT_TRUE(by_id && *by_id && by_email && *by_email);
  EXPECT_EQ((*by_id)->password_hash, Secret{"$2b$10$hash"});
  EXPECT_EQ((*by_email)->password_hash, Secret{"$2b$10$hash"});
  EXPECT_EQ((*by_email)->user->user.id, id);
  EXPECT_FALSE(run(users().credentials(email("no@body.org"), kNever)).value());
  EXPECT_FALSE(run(users().credentials(*UserId::from(4711), kNever)).value());
}

TEST_P(UserStoreContract, RehashReplacesOnlyTheHashItKnew) {
  NewUser user = named("one@example.com");
  user.password_hash = Secret{"old"};
  const UserRef before = insert(user);
  const UserId id = before->user.id;
  ASSERT_TRUE(run(
      users().rehash({.id = id, .old_hash = Secret{"wrong"}, .new_hash = Secret{"new"}}, kNever)));
  EXPECT_EQ((*run(users().credentials(id, kNever)))->password_hash, Secret{"old"});
  ASSERT_TRUE(run(
      users().rehash({.id = id, .old_hash = Secret{"old"}, .new_hash = Secret{"new"}}, kNever)));
  const auto after = run(users().credentials(id, kNever));
  EXPECT_EQ((*after)->password_hash, Secret{"new"});
  EXPECT_EQ((*after)->user->user.version, before->user.version);
  EXPECT_EQ((*after)->user->user.auth_epoch, before->user.auth_epoch);
}

TEST_P(UserStoreContract, PasswordDisableAndEndSessionsEachBumpTheEpoch) {
  const UserRef user = insert(named("one@example.com"));
  const UserId id = user->user.id;
  std::int64_t epoch = user->user.auth_epoch;
  const auto bumped = [&] { return std::exchange(epoch, find(id)->user.auth_epoch) != epoch; };
  ASSERT_TRUE(update(id, {.first_name = "X"}));
  EXPECT_FALSE(bumped());
  ASSERT_TRUE(update(id, {.password_hash = Secret{"new"}}));
  EXPECT_TRUE(bumped());
  ASSERT_TRUE(update(id, {.is_active = false}));
  EXPECT_TRUE(bumped());
  ASSERT_TRUE(update(id, {.is_active = true}));
  EXPECT_FALSE(bumped());
  ASSERT_TRUE(run(users().end_sessions(id, kNever)));
  EXPECT_TRUE(bumped());
}

}  // namespace
}  // namespace um::test
