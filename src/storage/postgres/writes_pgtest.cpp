// The PostgreSQL stores beyond the contract: the keys that they announce to the feed, and many
// writers at once.
#include <gmock/gmock.h>

#include "storage/cache_key.hpp"
#include "storage/postgres/storage.hpp"
#include "storage/postgres/testing/stage.hpp"

namespace um {
namespace {

using namespace std::chrono_literals;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAreArray;
using Keys = std::vector<std::string>;

std::string key(UserId id) {
  return CacheKey::of(id).str();
}
std::string key(const SessionId& id) {
  return CacheKey::of(id).str();
}

class PostgresWrites : public ::testing::Test, protected test::PostgresStage {
 protected:
  // The keys that the triggers recorded for this transaction.
  Keys recorded(Xid xid) {
    Keys keys;
    auto session = db.session();
    const auto rows = session.run(
        "SELECT convert_from(ckey, 'UTF8') FROM user_changes WHERE xid = $1::text::xid8",
        {std::to_string(xid)});
    for (std::size_t row = 0; row < rows.size(); ++row) keys.emplace_back(rows.text(row, 0));
    return keys;
  }
  // Expects one announced write with these keys, which include all that the triggers recorded.
  void expect_announced(const Keys& keys) {
    const auto writes = observer.take();
    ASSERT_THAT(writes, SizeIs(1));
    EXPECT_THAT(writes[0].keys, UnorderedElementsAreArray(keys));
    ASSERT_TRUE(writes[0].ended);
    ASSERT_TRUE(writes[0].xid);
    EXPECT_THAT(writes[0].keys, IsSupersetOf(recorded(*writes[0].xid)));
  }
  Result<UserRef> update(UserId id, UserChange change) {
    return test::run(users().update({.id = id, .change = std::move(change)}, kNever));
  }
};

TEST_F(PostgresWrites, NameTheirKeysAndTheirTransaction) {
  const UserId id = add("One@x.org");
  expect_announced({key(id), "email:one@x.org"});
  ASSERT_TRUE(update(id, {.first_name = "A"}));
  expect_announced({key(id)});
  ASSERT_TRUE(update(id, {.email = *Email::parse("two@x.org")}));
  expect_announced({key(id), "email:one@x.org", "email:two@x.org"});
  ASSERT_TRUE(test::run(users().add_usage({.user = id, .amount = *Usd::from_micros(1)}, kNever)));
  expect_announced({key(id)});
  ASSERT_TRUE(test::run(users().end_sessions(id, kNever)));
  expect_announced({key(id)});
  ASSERT_TRUE(test::run(users().invalidate(id, kNever)));
  expect_announced({key(id), "email:two@x.org"});

  const NewSession first = login(id);
  ASSERT_TRUE(test::run(sessions().create(first, kNever)));
  expect_announced({key(id), key(first.id)});
  ASSERT_TRUE(test::run(sessions().revoke({.id = first.id}, kNever)));
  expect_announced({key(first.id)});
  const NewSession second = login(id);
  ASSERT_TRUE(test::run(sessions().create(second, kNever)));
  observer.take();
  ASSERT_TRUE(update(id, {.password_hash = Secret{"new"}, .keep_session = second.id}));
  expect_announced({key(id), key(second.id)});
}

// The sessions that go with their user are not accepted, because the user is gone.
TEST_F(PostgresWrites, ARemovedUserIsNamedWithoutItsSessions) {
  const UserId id = add("one@x.org");
  ASSERT_TRUE(test::run(sessions().create(login(id), kNever)));
  observer.take();
  ASSERT_TRUE(test::run(users().remove({.id = id}, kNever)));
  const auto writes = observer.take();
  ASSERT_THAT(writes, SizeIs(1));
  EXPECT_THAT(writes[0].keys, UnorderedElementsAreArray(Keys{key(id), "email:one@x.org"}));
}

TEST_F(PostgresWrites, SessionsThatMakeRoomOrExpireAreNamed) {
  const UserId id = add("one@x.org");
  const NewSession first = login(id);
  ASSERT_TRUE(test::run(sessions().create(first, kNever)));
  clock.advance(25h);
  observer.take();
  const NewSession second = login(id);
  ASSERT_TRUE(test::run(sessions().create(second, kNever)));
  expect_announced({key(id), key(first.id), key(second.id)});
  clock.advance(25h);
  EXPECT_EQ(test::run(sessions().purge({.now = clock.wall_now()}, kNever)).value(), 1);
  expect_announced({key(second.id)});
}

TEST_F(PostgresWrites, ImportedUsersAreNamedTogether) {
  UserStore::InsertMany batch;
  Keys keys;
  for (int i = 0; i < 600; ++i) {
    const std::string address = "u" + std::to_string(i) + "@x.org";
    batch.users.push_back(named(address));
    keys.push_back("email:" + address);
  }
  const auto answers = test::run(users().insert_many(std::move(batch), kNever)).value();
  for (const auto& answer : answers) keys.push_back(key(answer.value()));
  expect_announced(keys);
}

TEST_F(PostgresWrites, WhatIsRefusedLeavesNoHoldAndNoTransaction) {
  const UserId id = add("one@x.org");
  add("two@x.org");
  observer.take();
  EXPECT_FALSE(update(id, {.email = *Email::parse("two@x.org")}));
  EXPECT_FALSE(update(*UserId::from(4711), {.first_name = "x"}));
  EXPECT_TRUE(update(id, {.first_name = ""}));  // as it is
  EXPECT_FALSE(test::run(sessions().create(login(id, "wrong"), kNever)));
  UserStore::InsertMany rehearsal{.rehearse = true};
  rehearsal.users = {named("three@x.org")};
  EXPECT_TRUE(test::run(users().insert_many(rehearsal, kNever)));
  for (const auto& write : observer.take()) {
    EXPECT_TRUE(write.ended);
    EXPECT_FALSE(write.xid);
  }
}

TEST_F(PostgresWrites, NothingIsVisibleBeforeItIsAnnounced) {
  const UserId id = add("one@x.org");
  std::string seen = "nothing was read";
  observer.on_commit = [&] {
    auto session = db.session();
    seen = session.text("SELECT first_name FROM users WHERE id = $1", {id.value()});
  };
  ASSERT_TRUE(update(id, {.first_name = "new"}));
  EXPECT_EQ(seen, "");
  EXPECT_EQ(find(id)->user.first_name, "new");
}

TEST_F(PostgresWrites, AFactKnowsWhichTransactionsItSaw) {
  const UserId id = add("one@x.org");
  const auto before = test::run(users().find(id, {})).value();
  observer.take();
  ASSERT_TRUE(update(id, {.first_name = "A"}));
  const Xid xid = observer.take().at(0).xid.value();
  const auto after = test::run(users().find(id, {})).value();
  EXPECT_FALSE(before.stamp.snapshot.sees(xid));
  EXPECT_TRUE(after.stamp.snapshot.sees(xid));
  EXPECT_EQ(before.stamp.tau, after.stamp.tau);
  EXPECT_NE(before.stamp.tau, Tau{});
}

TEST_F(PostgresWrites, WithoutAnIncarnationNoFactCanBeCached) {
  db.admin().execute("DELETE FROM cache_incarnation");
  test::PostgresStores later{db.url(), clock, observer};
  const auto reading = test::run(later.users.find(*UserId::from(1), {}));
  ASSERT_TRUE(reading);
  EXPECT_EQ(reading->stamp.tau, Tau{});
}

TEST_F(PostgresWrites, AtOnceSignedInNobodyHasMoreSessionsThanAllowed) {
  const UserId id = add("one@x.org");
  std::vector<Task<Result<CreatedSession>>> logins;
  for (std::size_t i = 0; i < SessionStore::kMaxSessionsPerUser + 30; ++i) {
    logins.push_back(sessions().create(login(id), kNever));
  }
  for (const auto& created : test::run_all(std::move(logins))) EXPECT_TRUE(created);
  EXPECT_EQ(test::run(sessions().list(id, kNever))->size(), SessionStore::kMaxSessionsPerUser);
}

TEST_F(PostgresWrites, AnIdThatAnotherProgramTookIsDrawnAgain) {
  // Takes an id without using the sequence.
  auto admin = db.admin();
  admin.execute("ALTER TABLE users DISABLE TRIGGER users_use_up_id");
  admin.execute("INSERT INTO users (id, email) VALUES (1, 'a@y.org'), (2, 'b@y.org')");
  admin.execute("INSERT INTO users (id, email) VALUES (4, 'c@y.org')");
  admin.execute("ALTER TABLE users ENABLE ALWAYS TRIGGER users_use_up_id");
  observer.forget_terms();
  EXPECT_EQ(add("one@x.org").value(), 3);
  UserStore::InsertMany batch;
  batch.users = {named("two@x.org"), named("three@x.org")};
  const auto answers = test::run(users().insert_many(std::move(batch), kNever)).value();
  EXPECT_TRUE(answers.at(0) && answers.at(1));
  EXPECT_NE(find(*UserId::from(4))->user.email.text(), "two@x.org");
}

TEST_F(PostgresWrites, ARowThatTheSchemaDoesNotTakeHarmsNoNeighbour) {
  for (const bool rehearse : {true, false}) {
    UserStore::InsertMany batch{.rehearse = rehearse};
    for (int i = 0; i < 50; ++i) batch.users.push_back(named("u" + std::to_string(i) + "@x.org"));
    batch.users[7].username = "?!";
    batch.users[8].model_capability_settings = "no json";
    batch.users[9].first_name = "\xff";
    batch.users[10].email = batch.users[3].email;
    const auto answers = test::run(users().insert_many(std::move(batch), kNever));
    ASSERT_TRUE(answers) << answers.error().detail;
    for (std::size_t i = 0; i < answers->size(); ++i) {
      EXPECT_EQ(answers->at(i).has_value(), i < 7 || i > 10) << i;
    }
    for (const std::size_t i : {7U, 8U, 9U}) {
      EXPECT_EQ(answers->at(i).error().code, ErrorCode::invalid);
    }
    EXPECT_EQ(answers->at(10).error().code, ErrorCode::email_taken);
    EXPECT_EQ(test::run(users().count("", kNever)).value(), rehearse ? 0 : 46);
  }
}

TEST_F(PostgresWrites, UsageThatTheDatabaseCannotStoreHarmsNoNeighbour) {
  const UserId id = add("one@x.org");
  std::vector<Task<Result<UsageTotals>>> writes;
  for (int i = 0; i < 20; ++i) {
    UsageRecord usage{.user = id, .amount = *Usd::from_micros(1)};
    if (i == 7) usage.idempotency_key = "\xff";
    if (i == 9) usage.idempotency_key = std::string{"\0", 1};
    if (i == 11) usage.user = *UserId::from(4711);
    writes.push_back(users().add_usage(std::move(usage), kNever));
  }
  const auto answers = test::run_all(std::move(writes));
  for (std::size_t i = 0; i < answers.size(); ++i) {
    EXPECT_EQ(answers[i].has_value(), i != 7 && i != 9 && i != 11) << i;
  }
  EXPECT_EQ(answers[7].error().code, ErrorCode::invalid);
  EXPECT_EQ(answers[9].error().code, ErrorCode::invalid);
  EXPECT_EQ(find(id)->user.used_usd.micros(), 17);
}

TEST_F(PostgresWrites, UsageIsToldInTheOrderOfTheCalls) {
  const UserId id = add("one@x.org");
  std::vector<Task<Result<UsageTotals>>> writes;
  for (int i = 0; i < 300; ++i) {
    writes.push_back(users().add_usage({.user = id, .amount = *Usd::from_micros(1)}, kNever));
  }
  std::int64_t expected = 0;
  for (const auto& answer : test::run_all(std::move(writes))) {
    EXPECT_EQ(answer.value().used_usd.micros(), ++expected);
  }
}

// Two instances, each with a batcher of its own.
TEST_F(PostgresWrites, OneKeyOfUsageCountsOnceOnAllInstances) {
  const UserId id = add("one@x.org");
  test::PostgresStores other{db.url(), clock, observer};
  std::vector<Task<Result<UsageTotals>>> writes;
  for (int i = 0; i < 200; ++i) {
    UsageRecord usage{.user = id, .amount = *Usd::from_micros(5)};
    usage.idempotency_key = "k" + std::to_string(i / 4);
    UserStore& store = i % 2 == 0 ? users() : other.users;
    writes.push_back(store.add_usage(std::move(usage), kNever));
  }
  for (const auto& answer : test::run_all(std::move(writes))) EXPECT_TRUE(answer);
  EXPECT_EQ(find(id)->user.used_usd.micros(), 50 * 5);
}

TEST_F(PostgresWrites, ThePasswordHashOfAnotherProgramEndsTheSessions) {
  const UserId id = add("one@x.org");
  ASSERT_TRUE(test::run(sessions().create(login(id), kNever)));
  db.session().execute("UPDATE users SET password_hash = 'new'");
  EXPECT_THAT(test::run(sessions().list(id, kNever)).value(), IsEmpty());
}

TEST_F(PostgresWrites, HousekeepingDeletesOldKeysOfUsage) {
  const UserId id = add("one@x.org");
  ASSERT_TRUE(test::run(users().add_usage(
      {.user = id, .amount = *Usd::from_micros(1), .idempotency_key = "k"}, kNever)));
  const auto keys = [&] { return db.session().integer("SELECT count(*) FROM usage_keys"); };
  const auto purge = [&] {
    return test::run(stores.users.purge_usage_keys({.now = clock.wall_now()}, kNever)).value();
  };
  clock.advance(24h - 1us);
  EXPECT_EQ(purge(), 0);
  EXPECT_EQ(keys(), 1);
  clock.advance(1us);
  EXPECT_EQ(purge(), 1);
  EXPECT_EQ(keys(), 0);
}

class PostgresOpen : public ::testing::Test {
 protected:
  Result<std::unique_ptr<Storage>> open(const std::string& url) {
    return open_postgres({.url = Secret{url}, .clock = &clock_});
  }
  ManualClock clock_;
};

TEST_F(PostgresOpen, SaysWhereItIsWithoutTheUser) {
  const test::TestDatabase db;
  const auto storage = open(db.url());
  ASSERT_TRUE(storage) << storage.error().detail;
  EXPECT_TRUE((*storage)->describe().starts_with("PostgreSQL 127.0.0.1:"));
  EXPECT_TRUE((*storage)->describe().ends_with('/' + db.name()));
  EXPECT_EQ((*storage)->describe().find(test::kOwner), std::string::npos);
  EXPECT_TRUE(test::run((*storage)->ping({})));
}

// A standby may lack acknowledged commits.
TEST_F(PostgresOpen, NobodyReadsFromAStandby) {
  const test::PostgresServer primary;
  const test::TestDatabase db{primary};
  const test::PostgresServer standby{{.primary = &primary}};
  const auto alone = open(standby.url({.user = "postgres", .database = db.name()}));
  ASSERT_FALSE(alone);
  EXPECT_EQ(alone.error().code, ErrorCode::unavailable) << alone.error().detail;
  const auto both = open("postgresql://postgres@127.0.0.1:" + std::to_string(standby.port()) +
                         ",127.0.0.1:" + std::to_string(primary.port()) + '/' + db.name());
  ASSERT_TRUE(both) << both.error().detail;
  EXPECT_TRUE((*both)->describe().contains(std::to_string(primary.port())));
  const auto reading = test::run((*both)->users().find(*UserId::from(1), {}));
  ASSERT_TRUE(reading) << reading.error().detail;
  EXPECT_NE(reading->stamp.tau, Tau{}) << "it cannot be cached";
}

TEST_F(PostgresOpen, ASchemaThatIsMissingIsAskedFor) {
  const test::TestDatabase db{test::TestDatabase::Content::empty};
  const auto storage = open(db.url());
  ASSERT_FALSE(storage);
  EXPECT_EQ(storage.error().code, ErrorCode::invalid);
  EXPECT_NE(storage.error().detail.find("migrate"), std::string::npos);
}

TEST_F(PostgresOpen, WhatCannotBeReachedOrReadIsSaid) {
  EXPECT_EQ(open("postgresql://127.0.0.1:1/x?connect_timeout=2").error().code,
            ErrorCode::unavailable);
  EXPECT_FALSE(open("no url at all"));
}

TEST_F(PostgresOpen, ADatabaseThatOnlyReadsIsNotReadyAndTakesNoWrites) {
  const test::TestDatabase db;
  db.admin().execute("ALTER DATABASE " + db.name() + " SET default_transaction_read_only = on");
  const auto storage = open(db.url());
  ASSERT_TRUE(storage) << storage.error().detail;
  const auto ping = test::run((*storage)->ping({}));
  ASSERT_FALSE(ping);
  EXPECT_EQ(ping.error().code, ErrorCode::unavailable);
  EXPECT_TRUE(ping.error().retry_after);
  const auto inserted =
      test::run((*storage)->users().insert(test::PostgresStage::named("a@x.org"), {}));
  ASSERT_FALSE(inserted);
  EXPECT_EQ(inserted.error().code, ErrorCode::unavailable);
  EXPECT_TRUE(test::run((*storage)->users().has_admin({})));
}

// The gate and the last administrator need a new snapshot for each statement; and without the
// warning a commit that was not replicated looks like a success.
TEST(PostgresSessions, DoNotDependOnWhatTheDatabaseHasAsItsDefaults) {
  static constexpr pg::Query kSettings{"settings",
                                       "SELECT current_setting('transaction_isolation') || ' ' ||"
                                       " current_setting('client_min_messages')"};
  const test::TestDatabase database;
  database.admin().execute(
      "DO $$ BEGIN"
      " EXECUTE format('ALTER DATABASE %I SET default_transaction_isolation = ''serializable''',"
      "                current_database());"
      " EXECUTE format('ALTER DATABASE %I SET client_min_messages = ''error''',"
      "                current_database()); END $$");
  const SystemClock clock;
  test::RecordingObserver observer{database};
  test::PostgresStores stores{database.url(), clock, observer};
  for (const auto& rows : {test::run(stores.database.change(kSettings, {}, {})),
                           test::run(stores.database.look_up(kSettings, {}, {}))}) {
    ASSERT_TRUE(rows) << rows.error().detail;
    EXPECT_EQ(rows->text(0, 0), "read committed warning");
  }
}

}  // namespace
}  // namespace um
