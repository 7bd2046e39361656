// A whole PostgreSQL storage: its feed and its connections together, and housekeeping by several
// instances.
#include <atomic>
#include <thread>

#include <gtest/gtest.h>

#include "storage/postgres/storage.hpp"
#include "support/patience.hpp"
#include "support/postgres_database.hpp"
#include "support/run_task.hpp"

namespace um {
namespace {

using namespace std::chrono_literals;
using e2e::eventually;

// Records the namespace of the last poll, for as long as it lives.
class Place final : public ChangeListener {
 public:
  explicit Place(Storage& storage) : feed_{storage.changes()} { feed_.start(*this); }
  ~Place() override { feed_.stop(); }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

  void hold(std::span<const std::string>) override {}
  void settle(std::span<const std::string>, std::optional<Xid>) override {}
  Leftovers apply(const Poll& poll) override {
    const std::scoped_lock lock{mutex_};
    tau_ = poll.stamp.tau;
    return {};
  }
  std::optional<Tau> tau() const {
    const std::scoped_lock lock{mutex_};
    return tau_;
  }

 private:
  ChangeFeed& feed_;
  mutable std::mutex mutex_;
  std::optional<Tau> tau_;
};

class PostgresStorageTest : public ::testing::Test {
 protected:
  std::unique_ptr<Storage> open() {
    auto storage = open_postgres({.url = Secret{database_.url()},
                                  .clock = &clock_,
                                  .look_up_timeout = 20s,
                                  .statement_timeout = 20s});
    if (!storage) throw std::runtime_error{storage.error().detail};
    return std::move(*storage);
  }
  Tau tau_of_a_fact(Storage& storage) {
    return test::run(storage.users().find(*UserId::from(1), {})).value().stamp.tau;
  }
  // Until nothing more is deleted.
  Task<Result<bool>> housekeeping(Storage& storage) {
    Result<bool> more = true;
    while (more && *more)
      more = co_await storage.housekeeping(clock_.wall_now(), Deadline::after(clock_, 60s));
    co_return more;
  }

  const test::TestDatabase database_;
  BlockingConnection db_ = database_.session();
  SystemClock clock_;
};

TEST_F(PostgresStorageTest, AfterAMoveToAnotherNamespaceFactsAreOfThatAgain) {
  const auto storage = open();
  const Place place{*storage};
  ASSERT_TRUE(eventually([&] { return place.tau() == tau_of_a_fact(*storage); }));
  const auto before = place.tau();
  db_.execute("SELECT bump_cache_epoch()");
  ASSERT_TRUE(eventually([&] { return place.tau() != before; }));
  EXPECT_TRUE(eventually([&] { return place.tau() == tau_of_a_fact(*storage); }));
}

TEST_F(PostgresStorageTest, ATableThatWasAlteredIsAnotherNamespaceForConnectionsToo) {
  const auto storage = open();
  const Place place{*storage};
  ASSERT_TRUE(eventually([&] { return place.tau() == tau_of_a_fact(*storage); }));
  const auto before = place.tau();
  db_.execute("ALTER TABLE users ADD COLUMN note text");
  ASSERT_TRUE(eventually([&] { return place.tau() != before; }));
  EXPECT_TRUE(eventually([&] { return place.tau() == tau_of_a_fact(*storage); }));
}

// The stores work as well: reads, and a write. A read while the tables are missing may fail.
TEST_F(PostgresStorageTest, ADumpRestoredOverTheRunningDatabaseIsServedWithoutARestart) {
  db_.execute("INSERT INTO users (email) VALUES ('a@x.org')");
  const std::string dump = test::pg_dump(database_.url(), {"--clean", "--if-exists"});
  const auto storage = open();
  const Place place{*storage};
  ASSERT_TRUE(eventually([&] { return place.tau() == tau_of_a_fact(*storage); }));
  const auto before = place.tau();
  std::atomic<bool> restored = false;
  std::thread reader{[&] {
    while (!restored) (void)test::run(storage->users().find(*UserId::from(1), {}));
  }};
  test::psql(database_.url(), dump);
  restored = true;
  reader.join();
  ASSERT_TRUE(eventually([&] { return place.tau() != before; }));
  EXPECT_TRUE(eventually([&] {
    const auto read = test::run(storage->users().find(*UserId::from(1), {}));
    return read && read->stamp.tau == place.tau();
  }));
  EXPECT_TRUE(test::run(
      storage->users().update({.id = *UserId::from(1), .change = {.first_name = "new"}}, {})));
}

class PostgresHousekeepingTest : public PostgresStorageTest {
 protected:
  PostgresHousekeepingTest() {
    db_.execute(
        "INSERT INTO users (email) VALUES ('a@x.org');"
        " INSERT INTO sessions (id, user_id, auth_epoch, kind, expires_at)"
        "  SELECT 'old' || i, 1, 1, 'login', now() - interval '1 hour' FROM generate_series(1, "
        "1800) i;"
        " INSERT INTO sessions (id, user_id, auth_epoch, kind, expires_at)"
        "  VALUES ('new', 1, 1, 'login', now() + interval '1 hour');"
        " INSERT INTO usage_keys (user_id, key, usd, created_at)"
        "  SELECT 1, 'old' || i, 1, now() - interval '30 hours' FROM generate_series(1, 1800) i;"
        " INSERT INTO usage_keys (user_id, key, usd) VALUES (1, 'new', 1);"
        " SELECT end_attempt(ARRAY[i, i + 1, i + 2, i + 3], ARRAY[i + 4, i + 5, i + 6, i + 7], 0, "
        "true,"
        "   1000) FROM generate_series(1, 800, 8) i");
  }
  std::string left() {
    return db_.text(
        "SELECT concat((SELECT count(*) FROM sessions), ' ', (SELECT count(*) FROM usage_keys), ' "
        "',"
        " (SELECT count(*) FROM attempt_cells))");
  }
};

TEST_F(PostgresHousekeepingTest, SeveralInstancesDoItAtOnce) {
  std::vector<std::unique_ptr<Storage>> instances;
  std::vector<Task<Result<bool>>> tasks;
  for (int i = 0; i < 4; ++i) tasks.push_back(housekeeping(*instances.emplace_back(open())));
  for (const auto& done : test::run_all(std::move(tasks)))
    EXPECT_TRUE(done) << (done ? "" : done.error().detail);
  // The last one skipped rows that the others had not committed yet.
  EXPECT_TRUE(test::run(housekeeping(*instances[0])));
  EXPECT_EQ(left(), "1 1 0");
}

TEST_F(PostgresHousekeepingTest, WhatSomebodyHasLockedIsLeftForTheNextTime) {
  const auto storage = open();
  BlockingConnection other = database_.session();
  other.execute(
      "BEGIN; SELECT FROM sessions WHERE id = 'old7' FOR UPDATE;"
      " SELECT FROM usage_keys WHERE key = 'old7' FOR UPDATE;"
      " SELECT FROM attempt_cells WHERE cell = 7 FOR UPDATE");
  EXPECT_TRUE(test::run(housekeeping(*storage)));
  EXPECT_EQ(left(), "2 2 1");
  other.execute("COMMIT");
  EXPECT_TRUE(test::run(housekeeping(*storage)));
  EXPECT_EQ(left(), "1 1 0");
}

}  // namespace
}  // namespace um
