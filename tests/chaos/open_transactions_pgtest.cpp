// Transactions of other programs that stay open. A feed that reads up to the oldest running
// transaction would stop because of them, while its polls succeed.
#include <gtest/gtest.h>

#include "base/clock.hpp"
#include "chaos/fleet.hpp"
#include "support/json.hpp"
#include "support/promise.hpp"

namespace um::e2e {
namespace {

using namespace std::chrono_literals;

class OpenTransactions : public ::testing::Test {
 protected:
  void SetUp() override {
    fleet_.stage().add({"ann", "bob", "cid", "dan"});
    ASSERT_TRUE(fleet_.warm_up(get("ann")));
  }
  HttpRequest get(const std::string& name) {
    return fleet_.as("admin", "GET /user/<" + name + ">");
  }
  std::string update(const std::string& name, const std::string& first_name) {
    return fleet_.stage().fill_in("UPDATE users SET first_name = '" + first_name +
                                  "' WHERE id = <" + name + ">");
  }
  std::string first_name(std::size_t i, const std::string& name) {
    const auto answer = fleet_.client(i).send(get(name));
    EXPECT_EQ(answer.status, 200U) << answer.text();
    return text_at(answer.json(), "/first_name");
  }

  // Every instance answers `wanted` to all requests that begin more than T from now.
  void expect_seen(const std::string& name, const std::string& wanted) {
    const auto committed = BootClock::now();
    for (bool late = false; !late;) {
      for (std::size_t i = 0; i < fleet_.size(); ++i) {
        const auto begin = BootClock::now();
        const auto seen = first_name(i, name);
        late = begin > committed + kT;
        if (late) {
          EXPECT_EQ(seen, wanted) << test::kBroken << "instance " << i;
        }
        if (seen != wanted)
          latest_ = std::max<std::chrono::nanoseconds>(latest_, begin - committed);
      }
    }
  }

  explicit OpenTransactions(FleetOptions options = {}) : fleet_{std::move(options)} {}

  Fleet fleet_;
  std::chrono::nanoseconds latest_{0};  // after which some instance still lacked a change
};

class OpenAndPreparedTransactions : public OpenTransactions {
 protected:
  OpenAndPreparedTransactions()
      : OpenTransactions{
            {.server = FleetOptions::Server::own, .settings = {"max_prepared_transactions=4"}}} {}
};

TEST_F(OpenAndPreparedTransactions, DelayNothing) {
  auto& database = fleet_.database();
  // The open transaction has written to user_changes; later ones have as well.
  auto same_database = database.session();
  same_database.execute("BEGIN; " + update("bob", "Open"));
  const test::TestDatabase other{fleet_.postgres(), test::TestDatabase::Content::empty};
  auto other_database = other.admin();
  other_database.execute("BEGIN; CREATE TABLE forgotten (id int)");
  auto prepared = database.session();
  prepared.execute("BEGIN; " + update("cid", "Prepared") + "; PREPARE TRANSACTION 'forgotten'");
  auto repeatable = database.session();
  repeatable.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT pg_current_xact_id()");

  auto writer = database.session();
  for (int n = 1; n <= 3; ++n) {
    const auto name = "Round " + std::to_string(n);
    ASSERT_TRUE(fleet_.warm_up(get("ann")));
    writer.execute(update("ann", name));
    expect_seen("ann", name);
    auto client = fleet_.client(0);
    EXPECT_EQ(
        client.send(fleet_.as("admin", "PATCH /user/<dan>", R"({"first_name": ")" + name + R"("})"))
            .status,
        200U);
    expect_seen("dan", name);
  }
  // The open transactions are not visible yet, and become visible as soon as they are committed.
  ASSERT_TRUE(fleet_.warm_up(get("bob")));
  ASSERT_TRUE(fleet_.warm_up(get("cid")));
  EXPECT_EQ(first_name(0, "bob"), "bob");
  EXPECT_EQ(first_name(1, "cid"), "cid");
  same_database.execute("COMMIT");
  expect_seen("bob", "Open");
  prepared.execute("COMMIT PREPARED 'forgotten'");
  expect_seen("cid", "Prepared");
  note_figure("seen by all", latest_);
  EXPECT_GT(fleet_.cache_stat(0, "/hits/l1/total"), 100) << "a run without hits is no evidence";
  EXPECT_GT(fleet_.cache_stat(1, "/hits/l1/total"), 100) << "a run without hits is no evidence";
}

TEST_F(OpenTransactions, WhatIsRolledBackIsNeverSeen) {
  auto session = fleet_.database().session();
  session.execute("BEGIN; " + update("ann", "Never"));
  ASSERT_TRUE(fleet_.warm_up(get("ann")));
  session.execute("ROLLBACK");
  expect_seen("ann", "ann");
}

}  // namespace
}  // namespace um::e2e
