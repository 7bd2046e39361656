#include "service/users.hpp"

#include <gtest/gtest.h>

#include "support/users_stage.hpp"

namespace um {
namespace {

using test::is;
using test::registration;
using test::UsersTest;

TEST_F(UsersTest, AnybodyRegisters) {
  const auto created = run(users_.create({}, {.input = registration()}, Deadline::never()));
  ASSERT_TRUE(created);
  EXPECT_EQ((*created)->user.email.text(), "New@X");
  EXPECT_TRUE(verifies((*created)->user.id, "a new and long one"));
}

TEST_F(UsersTest, ClosedRegistrationIsForAdministrators) {
  Users closed{{.store = store_, .hasher = hasher_, .limiter = limiter_, .clock = clock_},
               {.registration = Registration::admin}};
  for (const Caller& caller : {Caller{}, Caller{principal(ada_)}}) {
    const auto refused = run(closed.create(caller, {.input = registration()}, Deadline::never()));
    EXPECT_EQ(refused.error().code, caller ? ErrorCode::forbidden : ErrorCode::unauthenticated);
  }
  EXPECT_TRUE(run(closed.create(principal(admin_), {.input = registration()}, Deadline::never())));
}

TEST_F(UsersTest, RefusedRegistrationsAreNotHashed) {
  UserInput taken = registration();
  taken.email = is("ADA@x");
  UserInput promoted = registration();
  promoted.role = is("admin");
  UserInput broken = registration();
  broken.email = is("x");
  EXPECT_EQ(run(users_.create({}, {.input = taken}, Deadline::never())).error().code,
            ErrorCode::email_taken);
  EXPECT_EQ(run(users_.create({}, {.input = promoted}, Deadline::never())).error().code,
            ErrorCode::forbidden);
  EXPECT_EQ(run(users_.create({}, {.input = broken}, Deadline::never())).error().code,
            ErrorCode::invalid);
  EXPECT_EQ(hasher_.stats().hashed, 0U);
  EXPECT_EQ(store_.calls.insert, 0);
}

TEST_F(UsersTest, RegistrationsCountByAddressApartFromSignIns) {
  const auto from = [](const char* address, const char* email) {
    Users::CreateRequest request{.input = registration(), .address = address};
    request.input.email = is(email);
    return request;
  };
  ASSERT_TRUE(run(users_.create({}, from("203.0.113.7", "One@x"), Deadline::never())));
  EXPECT_FALSE(run(users_.create({}, from("2001:db8::1", "one@x"), Deadline::never())));
  EXPECT_FALSE(run(users_.create({}, from("2001:db8::2", "no address"), Deadline::never())));
  ASSERT_EQ(limiter_.seen.subjects.size(), 2U);
  EXPECT_EQ(limiter_.seen.subjects[0].account, "register\none@x");
  EXPECT_EQ(limiter_.seen.subjects[0].address, "register\n203.0.113.7");
  EXPECT_EQ(limiter_.seen.subjects[1].address, "register\n" + address_group("2001:db8::ffff"));
  EXPECT_EQ(limiter_.seen.failed, 2);
  limiter_.refuse = true;
  const auto refused = run(users_.create({}, from("203.0.113.7", "two@x"), Deadline::never()));
  EXPECT_EQ(refused.error().code, ErrorCode::too_many_attempts);
  EXPECT_EQ(refused.error().detail, "too many registrations");
  EXPECT_TRUE(
      run(users_.create(principal(admin_), from("203.0.113.7", "two@x"), Deadline::never())));
}

TEST_F(UsersTest, ARegistrationTheDatabaseCouldNotTakeUsesNothingUp) {
  store_.insert_failure = Error{.code = ErrorCode::unavailable};
  EXPECT_FALSE(run(users_.create({}, {.input = registration()}, Deadline::never())));
  EXPECT_EQ(limiter_.seen.failed, 0);
  EXPECT_EQ(limiter_.seen.given_back, 1);
}

TEST_F(UsersTest, AChangeIsWrittenOnTopOfTheRow) {
  const auto changed = patch(ada_, {.id = ada_->user.id, .input = named("Augusta")});
  ASSERT_TRUE(changed);
  EXPECT_EQ((*changed)->user.first_name, "Augusta");
  EXPECT_EQ((*changed)->user.last_name, "Lovelace");
  EXPECT_FALSE(store_.last_change->password_hash);
  EXPECT_FALSE(store_.last_change->keep_session);
}

TEST_F(UsersTest, WhatChangesNothingIsNotWritten) {
  const auto same = patch(ada_, {.id = ada_->user.id, .input = named("Ada")});
  ASSERT_TRUE(same);
  EXPECT_EQ((*same)->etag, ada_->etag);
  EXPECT_EQ(store_.calls.update, 0);
}

TEST_F(UsersTest, ReplacingNeedsItsMembers) {
  const auto refused = run(users_.replace(
      principal(ada_), {.id = ada_->user.id, .input = named("A")}, Deadline::never()));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().fields.size(), 2U);
}

TEST_F(UsersTest, AnUnknownUserIsNotFound) {
  const UserId unknown = *UserId::from(999);
  EXPECT_EQ(patch(admin_, {.id = unknown, .input = named("x")}).error().code, ErrorCode::not_found);
  EXPECT_EQ(run(users_.remove(unknown, std::nullopt, Deadline::never())).error().code,
            ErrorCode::not_found);
  EXPECT_EQ(run(users_.remove(unknown, RevisionMatch{.any = true}, Deadline::never())).error().code,
            ErrorCode::not_found);
}

TEST_F(UsersTest, AnOldCounterIsNoReasonToRefuse) {
  const UsageRecord usage{.user = ada_->user.id, .amount = *Usd::parse("0.5")};
  ASSERT_TRUE(run(users_.add_usage(usage, Deadline::never())));
  UserInput input = named("Augusta");
  input.used_usd = is("0");
  const auto changed = patch(ada_, {.id = ada_->user.id, .input = input});
  ASSERT_TRUE(changed);
  EXPECT_EQ((*changed)->user.used_usd, Usd::parse("0.5"));
  input.used_usd = is("much");
  EXPECT_EQ(patch(ada_, {.id = ada_->user.id, .input = input}).error().fields.at(0).field,
            "used_usd");
}

TEST_F(UsersTest, OnesOwnPasswordChangesWithTheCurrentOne) {
  const auto changed = patch(
      ada_,
      {.id = ada_->user.id, .input = new_password("the old password"), .address = "192.0.2.1"});
  ASSERT_TRUE(changed);
  EXPECT_TRUE(verifies(ada_->user.id, "a new and long one"));
  EXPECT_EQ(store_.last_change->keep_session, SessionId::parse(std::string(32, 'a')));
  EXPECT_EQ(limiter_.seen.succeeded, 1);
  // Neither an address, which its owner can change, nor anything that can be one.
  EXPECT_EQ(limiter_.seen.subjects.at(0).account, "\nid:42");
  EXPECT_EQ(limiter_.seen.subjects.at(0).address, "192.0.2.1");
}

TEST_F(UsersTest, AWrongCurrentPasswordIsCountedAsAGuess) {
  const auto refused =
      patch(ada_, {.id = ada_->user.id, .input = new_password("not the password")});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::invalid);
  EXPECT_EQ(refused.error().fields.at(0).field, "current_password");
  EXPECT_EQ(limiter_.seen.failed, 1);
  EXPECT_EQ(store_.calls.update, 0);
  EXPECT_EQ(hasher_.stats().hashed, 0U);
}

TEST_F(UsersTest, GuessingTheCurrentPasswordIsLimited) {
  limiter_.refuse = true;
  const auto refused =
      patch(ada_, {.id = ada_->user.id, .input = new_password("the old password")});
  EXPECT_EQ(refused.error().code, ErrorCode::too_many_attempts);
  EXPECT_EQ(hasher_.stats().verified, 0U);
}

TEST_F(UsersTest, RefusedPasswordChangesAreNeitherVerifiedNorHashed) {
  UserInput input = new_password("the old password");
  input.email = is("x");
  EXPECT_EQ(patch(ada_, {.id = ada_->user.id, .input = input}).error().code, ErrorCode::invalid);
  EXPECT_EQ(patch(ada_, {.id = ada_->user.id,
                         .input = new_password("the old password"),
                         .if_match = RevisionMatch{}})
                .error()
                .code,
            ErrorCode::precondition_failed);
  EXPECT_TRUE(limiter_.seen.subjects.empty());
  EXPECT_EQ(hasher_.stats().verified, 0U);
}

TEST_F(UsersTest, AnAdministratorSetsThePasswordOfOthersWithoutTheirs) {
  UserInput input;
  input.password = is(Secret{"a new and long one"});
  ASSERT_TRUE(patch(admin_, {.id = ada_->user.id, .input = input}));
  EXPECT_TRUE(verifies(ada_->user.id, "a new and long one"));
  EXPECT_FALSE(store_.last_change->keep_session);
  EXPECT_TRUE(limiter_.seen.subjects.empty());
}

TEST_F(UsersTest, NobodyChangesNoUser) {
  const auto refused =
      run(users_.patch({}, {.id = ada_->user.id, .input = named("Eve")}, Deadline::never()));
  EXPECT_EQ(refused.error().code, ErrorCode::unauthenticated);
  EXPECT_EQ(store_.get(ada_->user.id)->user.first_name, "Ada");
}

TEST_F(UsersTest, TheOperatorHasTheRightsOfAnAdministratorAndProvesNoPassword) {
  UserInput input;
  input.role = is("service");
  input.password = is(Secret{"a new and long one"});
  const auto changed =
      run(users_.patch(Operator{}, {.id = ada_->user.id, .input = input}, Deadline::never()));
  ASSERT_TRUE(changed);
  EXPECT_EQ((*changed)->user.role, Role::service);
  EXPECT_TRUE(verifies(ada_->user.id, "a new and long one"));
  EXPECT_FALSE(store_.last_change->keep_session);
  input = registration();
  input.role = is("admin");
  EXPECT_TRUE(run(users_.create(Operator{}, {.input = input}, Deadline::never())));
  EXPECT_TRUE(limiter_.seen.subjects.empty());
}

TEST_F(UsersTest, OnlyAnAdministratorMayLeaveThePasswordOut) {
  Users::CreateRequest request{.input = registration(), .password_optional = true};
  request.input.password = {};
  const auto refused = run(users_.create({}, request, Deadline::never()));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().fields.at(0).field, "password");
  const auto created = run(users_.create(principal(admin_), request, Deadline::never()));
  ASSERT_TRUE(created);
  EXPECT_TRUE(store_.hash_of((*created)->user.id).empty());
  EXPECT_EQ(hasher_.stats().hashed, 0U);
}

TEST_F(UsersTest, TheLastAdministratorStays) {
  UserInput demoted;
  demoted.role = is("user");
  EXPECT_EQ(patch(admin_, {.id = admin_->user.id, .input = demoted}).error().code,
            ErrorCode::last_admin);
  EXPECT_EQ(run(users_.remove(admin_->user.id, std::nullopt, Deadline::never())).error().code,
            ErrorCode::last_admin);
}

TEST_F(UsersTest, RemovingHeedsIfMatch) {
  const UserId id = ada_->user.id;
  EXPECT_EQ(run(users_.remove(id, RevisionMatch{}, Deadline::never())).error().code,
            ErrorCode::precondition_failed);
  store_.cached[id] = ada_;
  store_.change_behind(id, [](User& user) { user.last_name = "King"; });
  const RevisionMatch old{.revisions = {ada_->revision}};
  EXPECT_EQ(run(users_.remove(id, old, Deadline::never())).error().code,
            ErrorCode::precondition_failed);
  const RevisionMatch now{.revisions = {store_.get(id)->revision}};
  EXPECT_TRUE(run(users_.remove(id, now, Deadline::never())));
  EXPECT_FALSE(store_.get(id));
}

TEST_F(UsersTest, AListKnowsWhetherThereIsMore) {
  for (std::int64_t id = 100; id < 105; ++id)
    add({.id = *UserId::from(id), .email = *Email::parse("many" + std::to_string(id) + "@x")});
  auto page = run(users_.list({.page = {.limit = 7}, .count = true}, Deadline::never()));
  ASSERT_TRUE(page);
  EXPECT_EQ(page->users.size(), 7U);
  EXPECT_FALSE(page->more);
  EXPECT_EQ(page->total, 7);

  page = run(users_.list({.keyword = "many", .page = {.limit = 3}}, Deadline::never()));
  EXPECT_EQ(page->users.size(), 3U);
  EXPECT_TRUE(page->more);
  EXPECT_FALSE(page->total);

  page = run(users_.list({.keyword = "many", .page = {.limit = 3, .after = UserId::from(102)}},
                         Deadline::never()));
  EXPECT_EQ(page->users.size(), 2U);
  EXPECT_FALSE(page->more);
}

TEST_F(UsersTest, KeywordsThatNothingContainsAreRefused) {
  using namespace std::string_literals;
  for (const std::string& keyword : {"\xFF"s, "a\0b"s, std::string(255, 'a')}) {
    const auto page = run(users_.list({.keyword = keyword}, Deadline::never()));
    ASSERT_FALSE(page);
    EXPECT_EQ(page.error().fields.at(0).field, "keyword");
  }
  EXPECT_TRUE(run(users_.list({.keyword = std::string(254, 'a')}, Deadline::never())));
}

TEST_F(UsersTest, UsageIsNotNegative) {
  UsageRecord usage{.user = ada_->user.id, .amount = *Usd::parse("-0.000001")};
  EXPECT_EQ(run(users_.add_usage(usage, Deadline::never())).error().fields.at(0).field, "usd");
  usage.amount = *Usd::parse("0.1");
  usage.idempotency_key = "";
  EXPECT_FALSE(run(users_.add_usage(usage, Deadline::never())));
  usage.idempotency_key = std::string(256, 'k');
  EXPECT_FALSE(run(users_.add_usage(usage, Deadline::never())));
  usage.idempotency_key = std::string(255, 'k');
  EXPECT_EQ(run(users_.add_usage(usage, Deadline::never()))->used_usd, Usd::parse("0.1"));
}

}  // namespace
}  // namespace um
