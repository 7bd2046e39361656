#include <set>

#include "contract/storage_under_test.hpp"

namespace um::test {
namespace {

TEST_P(UserStoreConcurrencyContract, ConcurrentUsageIsExactAndSharesCommits) {
  const UserId id = insert(named("one@x.org"))->user.id;
  const StorageStats before = storage().stats();
  std::vector<Task<Result<UsageTotals>>> writes;
  for (int i = 0; i < 200; ++i) {
    writes.push_back(users().add_usage({.user = id, .amount = *Usd::from_micros(3)}, kNever));
  }
  std::set<std::int64_t> totals;
  for (const auto& answer : run_all(std::move(writes))) {
    ASSERT_TRUE(answer);
    totals.insert(answer->used_usd.micros());
  }
  EXPECT_EQ(totals.size(), 200U);
  EXPECT_EQ(*totals.rbegin(), 600);
  EXPECT_EQ(find(id)->user.used_usd.micros(), 600);
  const StorageStats after = storage().stats();
  EXPECT_EQ(after.writes - before.writes, 200U);
  EXPECT_LT(after.commits - before.commits, 100U);
}

TEST_P(UserStoreConcurrencyContract, AFailingNeighbourTakesNobodyAlong) {
  insert(named("taken@x.org"));
  std::vector<Task<Result<UserRef>>> writes;
  for (int i = 0; i < 30; ++i) {
    const std::string address = i % 3 == 0 ? "Taken@x.org" : "u" + std::to_string(i) + "@x.org";
    writes.push_back(users().insert(named(address), kNever));
  }
  const auto answers = run_all(std::move(writes));
  for (std::size_t i = 0; i < answers.size(); ++i) {
    if (i % 3 == 0) {
      EXPECT_EQ(code(answers[i]), ErrorCode::email_taken);
    } else {
      ASSERT_TRUE(answers[i]);
      EXPECT_EQ(find((*answers[i])->user.id)->json, (*answers[i])->json);
    }
  }
  EXPECT_EQ(run(users().count("", kNever)).value(), 21);
}

TEST_P(UserStoreConcurrencyContract, OfAllAdministratorsDemotedAtOnceOneRemains) {
  std::vector<UserId> admins;
  for (int i = 0; i < 8; ++i) {
    admins.push_back(insert(admin("a" + std::to_string(i) + "@x.org"))->user.id);
  }
  std::vector<Task<Result<UserRef>>> demotions;
  for (const UserId id : admins) {
    UserChange change;
    if (id.value() % 2 == 0) {
      change.role = Role::user;
    } else {
      change.is_active = false;
    }
    demotions.push_back(users().update({.id = id, .change = change}, kNever));
  }
  int refused = 0;
  for (const auto& answer : run_all(std::move(demotions))) {
    if (!answer) {
      EXPECT_EQ(answer.error().code, ErrorCode::last_admin);
      ++refused;
    }
  }
  EXPECT_EQ(refused, 1);
  EXPECT_TRUE(run(users().has_admin(kNever)).value());
}

TEST_P(UserStoreConcurrencyContract, OfEqualCompareAndSetsOneWins) {
  const UserRef user = insert(named("one@x.org"));
  std::vector<Task<Result<UserRef>>> writes;
  for (int i = 0; i < 20; ++i) {
    writes.push_back(users().update({.id = user->user.id,
                                     .expected = user->revision,
                                     .change = {.first_name = "n" + std::to_string(i)}},
                                    kNever));
  }
  int won = 0;
  for (const auto& answer : run_all(std::move(writes))) {
    if (answer) {
      ++won;
    } else {
      EXPECT_EQ(answer.error().code, ErrorCode::conflict);
    }
  }
  EXPECT_EQ(won, 1);
}

TEST_P(UserStoreConcurrencyContract, OneIdempotencyKeyCountsOnceHoweverManyCallAtOnce) {
  const UserId id = insert(named("one@x.org"))->user.id;
  std::vector<Task<Result<UsageTotals>>> writes;
  for (int i = 0; i < 50; ++i) {
    writes.push_back(users().add_usage(
        {.user = id, .amount = *Usd::from_micros(3), .idempotency_key = "same"}, kNever));
  }
  for (const auto& answer : run_all(std::move(writes))) EXPECT_EQ(answer->used_usd.micros(), 3);
  EXPECT_EQ(find(id)->user.used_usd.micros(), 3);
}

TEST_P(UserStoreConcurrencyContract, QueriesAreCountedByName) {
  insert(named("one@x.org"));
  const auto calls = [&] { return storage().stats().queries.at("find_user").calls; };
  const auto before = calls();
  EXPECT_TRUE(find(*UserId::from(1)));
  EXPECT_EQ(calls(), before + 1);
}

}  // namespace
}  // namespace um::test
