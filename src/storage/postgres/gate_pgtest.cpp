// public.strict_gate() and the functions around it, on a real server.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.hpp"
#include "support/postgres_database.hpp"

namespace um {
namespace {

using test::taken_changes;
using test::TestDatabase;

class PostgresGate : public ::testing::Test {
 protected:
  PostgresGate() { db_.execute("INSERT INTO users (email) VALUES ('a@x.org')"); }

  std::string join() {
    const std::string id = random_uuid();
    db_.text("SELECT join_instances($1::uuid, NULL, 1, 'test')", {id});
    return id;
  }
  std::string hold(const std::string& key) {
    const std::string id = random_uuid();
    add_to(id, key);
    return id;
  }
  void add_to(const std::string& hold, const std::string& key) {
    db_.text("SELECT place_holds(ARRAY[$1::uuid], ARRAY[convert_to($2, 'UTF8')])", {hold, key});
  }
  void acknowledge(const std::string& instance) {
    db_.run("INSERT INTO cache_acks (id, seen) VALUES ($1::uuid, pg_current_snapshot())",
            {instance});
  }
  struct Gate {
    std::string way;
    std::optional<std::string> hold{};
    std::string keys = "user:1";  // separated by spaces
    std::optional<std::string> instance{};
    std::int64_t epoch = 1;
  };
  // The SQLSTATE of the gate and of a change of user 1 behind it; empty: committed.
  std::string change_behind(const Gate& gate, const std::string& change = kRename) {
    BlockingConnection db = database_.session();
    try {
      db.execute("BEGIN");
      db.text("SELECT strict_gate($1, $2::uuid, string_to_array($3, ' '), $4::uuid, $5)",
              {gate.way, gate.hold, gate.keys, gate.instance, gate.epoch});
      db.execute(change);
      db.execute("COMMIT");
      return "";
    } catch (const PostgresError& error) {
      return error.failure().sqlstate;
    }
  }
  std::string name() { return db_.text("SELECT first_name FROM users WHERE id = 1"); }
  std::int64_t holds() { return db_.integer("SELECT count(*) FROM cache_holds"); }

  static constexpr const char* kRename = "UPDATE users SET first_name = 'New' WHERE id = 1";
  const TestDatabase database_;
  BlockingConnection db_ = database_.session();
};

TEST_F(PostgresGate, WhoIsAlonePassesWithoutAHold) {
  const std::string me = join();
  EXPECT_EQ(change_behind({.way = "alone", .instance = me}), "");
  EXPECT_EQ(name(), "New");
}

TEST_F(PostgresGate, WhoIsNotAloneDoesNotPassAsIfAlone) {
  const std::string me = join();
  join();
  EXPECT_EQ(change_behind({.way = "alone", .instance = me}), "UM003");
  EXPECT_EQ(change_behind({.way = "alone"}), "UM003");
  EXPECT_EQ(name(), "");
}

// Nobody begins to cache between the gate of a writer that is alone and its commit.
TEST_F(PostgresGate, NobodyJoinsWhileSomebodyCommitsAlone) {
  const std::string me = join();
  auto writer = database_.session();
  writer.execute("BEGIN");
  writer.text("SELECT strict_gate('alone', NULL, ARRAY['user:1'], $1::uuid, 1)", {me});
  auto joiner = database_.session();
  joiner.execute("SET lock_timeout = '1ms'");
  const auto join_now = [&] {
    joiner.text("SELECT join_instances(gen_random_uuid(), NULL, 1, 'late')");
  };
  EXPECT_THROW(join_now(), PostgresError);
  writer.execute("COMMIT");
  EXPECT_NO_THROW(join_now());
}

// It would keep others from joining for as long as it waits.
TEST_F(PostgresGate, WhoIsAloneDoesNotWaitForARow) {
  const std::string me = join();
  auto other = database_.session();
  other.execute("BEGIN; SELECT FROM users WHERE id = 1 FOR UPDATE");
  EXPECT_EQ(change_behind({.way = "alone", .instance = me}), "55P03");
  other.execute("COMMIT");
}

// A process that missed the change to strict writes holds nothing.
TEST_F(PostgresGate, ABoundedWritePassesInItsEpochOnly) {
  EXPECT_EQ(change_behind({.way = "bounded"}), "");
  db_.execute("SELECT bump_cache_epoch()");
  EXPECT_EQ(change_behind({.way = "bounded"}), "UM001");
}

TEST_F(PostgresGate, WhoComesWhileSomebodyJoinsIsNotAlone) {
  const std::string me = join();
  auto joiner = database_.session();
  joiner.execute("BEGIN; SELECT join_instances(gen_random_uuid(), NULL, 1, 'other')");
  EXPECT_EQ(change_behind({.way = "alone", .instance = me}), "55P03");
  joiner.execute("COMMIT");
}

TEST_F(PostgresGate, EveryInstanceButTheOwnHasToAcknowledge) {
  const std::string me = join();
  const std::string other = join();
  const std::string held = hold("user:1");
  const Gate gate{.way = "acknowledged", .hold = held, .instance = me};
  EXPECT_EQ(change_behind(gate), "UM003");
  EXPECT_EQ(holds(), 1) << "the hold stays for the next attempt";
  acknowledge(other);
  EXPECT_EQ(change_behind(gate), "");
  EXPECT_EQ(name(), "New");
  EXPECT_EQ(holds(), 0);
}

TEST_F(PostgresGate, AWriterWithoutARowNeedsAllAcknowledgements) {
  const std::string one = join();
  const std::string held = hold("user:1");
  const Gate gate{.way = "acknowledged", .hold = held};
  EXPECT_EQ(change_behind(gate), "UM003");
  acknowledge(one);
  EXPECT_EQ(change_behind(gate), "");
}

TEST_F(PostgresGate, AnAcknowledgementOfAnEarlierHoldOfTheKeyDoesNotCount) {
  const std::string me = join();
  const std::string other = join();
  hold("user:1");
  acknowledge(other);
  const std::string later = hold("user:1");
  EXPECT_EQ(change_behind({.way = "acknowledged", .hold = later, .instance = me}), "UM003");
}

TEST_F(PostgresGate, AnAcknowledgementThatDoesNotSeeTheHoldDoesNotCount) {
  const std::string me = join();
  const std::string other = join();
  auto poll = database_.session();
  poll.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1");
  const std::string held = hold("user:1");
  const std::string seen = poll.text("SELECT pg_current_snapshot()");
  db_.run("INSERT INTO cache_acks (id, seen) VALUES ($1::uuid, $2::pg_snapshot)", {other, seen});
  EXPECT_EQ(change_behind({.way = "acknowledged", .hold = held, .instance = me}), "UM003");
}

TEST_F(PostgresGate, AHoldInTwoPartsNeedsAnAcknowledgementOfBoth) {
  const std::string me = join();
  const std::string other = join();
  const std::string held = hold("user:1");
  acknowledge(other);
  add_to(held, "email:b@x.org");
  const Gate gate{
      .way = "acknowledged", .hold = held, .keys = "user:1 email:b@x.org", .instance = me};
  EXPECT_EQ(change_behind(gate), "UM003");
  acknowledge(other);
  EXPECT_EQ(change_behind(gate), "");
}

TEST_F(PostgresGate, WhoHasWaitedNeedsTheHoldAlone) {
  join();
  const std::string held = hold("user:1");
  EXPECT_EQ(change_behind({.way = "waited", .hold = held}), "");
}

// The fence: a hold that is gone lets nobody pass, and a part of it does not either.
TEST_F(PostgresGate, WithoutAllRowsOfTheHoldNobodyPasses) {
  const std::string held = hold("user:1");
  add_to(held, "email:b@x.org");
  const Gate gate{.way = "waited", .hold = held, .keys = "user:1 email:b@x.org"};
  db_.execute("DELETE FROM cache_holds WHERE ckey = 'user:1'");
  EXPECT_EQ(change_behind(gate), "UM002");
  EXPECT_EQ(db_.integer("SELECT withdraw_hold($1::uuid)", {held}), 1);
  EXPECT_EQ(change_behind(gate), "UM002");
}

TEST_F(PostgresGate, AnotherEpochLetsNobodyPass) {
  const std::string held = hold("user:1");
  const std::int64_t epoch = db_.integer("SELECT bump_cache_epoch()");
  EXPECT_EQ(change_behind({.way = "waited", .hold = held}), "UM001");
  EXPECT_EQ(change_behind({.way = "waited", .hold = held, .epoch = epoch}), "");
}

TEST_F(PostgresGate, KeysOutsideTheHoldAreRefused) {
  EXPECT_EQ(change_behind({.way = "alone"}, "UPDATE users SET email = 'b@x.org'"), "UM004");
  EXPECT_EQ(change_behind({.way = "alone", .keys = "user:1 email:a@x.org email:b@x.org"},
                          "UPDATE users SET email = 'b@x.org'"),
            "");
  EXPECT_EQ(change_behind({.way = "alone"}, "SELECT invalidate_user(1)"), "UM004");
  EXPECT_EQ(change_behind({.way = "alone"}, "INSERT INTO users (email) VALUES ('c@x.org')"),
            "UM004");
}

TEST_F(PostgresGate, SessionsGoWithTheirUserWithoutAHoldOfTheirOwn) {
  db_.execute(
      "INSERT INTO sessions (id, user_id, auth_epoch, kind, expires_at)"
      " VALUES ('s1', 1, 1, 'login', now() + interval '1 day')");
  EXPECT_EQ(change_behind({.way = "alone"}, "DELETE FROM sessions"), "UM004");
  taken_changes(db_);
  EXPECT_EQ(change_behind({.way = "alone", .keys = "user:1 email:a@x.org"}, "DELETE FROM users"),
            "");
  EXPECT_EQ(taken_changes(db_), "email:a@x.org session:s1 user:1");
}

TEST_F(PostgresGate, WithoutAGateNoKeyIsRefused) {
  db_.execute("UPDATE users SET email = 'b@x.org'");
  EXPECT_EQ(db_.text("SELECT email FROM users"), "b@x.org");
}

TEST_F(PostgresGate, AcknowledgementsStayAsLongAsAHoldIsOlder) {
  const std::string other = join();
  acknowledge(other);
  const std::string held = hold("user:1");
  acknowledge(other);
  EXPECT_EQ(db_.integer("SELECT purge_acks()"), 1);
  db_.text("SELECT withdraw_hold($1::uuid)", {held});
  EXPECT_EQ(db_.integer("SELECT purge_acks()"), 1);
}

TEST_F(PostgresGate, AnAbandonedHoldIsDroppedUnlessAGateIsUsingIt) {
  const std::string used = hold("user:1");
  const std::string abandoned = hold("user:1");
  auto writer = database_.session();
  writer.execute("BEGIN");
  writer.text("SELECT strict_gate('waited', $1::uuid, ARRAY['user:1'], NULL, 1)", {used});
  EXPECT_EQ(db_.integer("SELECT drop_holds(ARRAY[$1::uuid, $2::uuid])", {used, abandoned}), 1);
  writer.execute("COMMIT");
  EXPECT_EQ(holds(), 0);
}

TEST_F(PostgresGate, AnInstanceThatJoinsAnewLeavesNoRowBehind) {
  const std::string former = join();
  EXPECT_EQ(db_.integer("SELECT join_instances(gen_random_uuid(), ARRAY[$1::uuid], 1, 'again')",
                        {former}),
            0);
  EXPECT_EQ(db_.integer("SELECT count(*) FROM cache_instances"), 1);
}

TEST_F(PostgresGate, TheSessionOfAnInstanceShowsWhetherItHasEnded) {
  std::string id;
  {
    auto session = database_.session();
    id = random_uuid();
    session.text("SELECT join_instances($1::uuid, NULL, 1, 'x')", {id});
    EXPECT_EQ(db_.text("SELECT session_has_ended($1::uuid)", {id}), "f");
  }
  while (db_.text("SELECT session_has_ended($1::uuid)", {id}) != "t") {
  }
}

TEST_F(PostgresGate, TheLastAdministratorStays) {
  db_.execute("UPDATE users SET role = 'admin'");
  const auto keep = [&] { db_.text("SELECT keep_an_admin(1)"); };
  EXPECT_THROW(keep(), PostgresError);
  db_.execute("INSERT INTO users (email, role) VALUES ('b@x.org', 'admin')");
  EXPECT_NO_THROW(keep());
}

// An advisory lock could be held for ever by every role that may connect.
TEST_F(PostgresGate, OnlyTheOwnerTakesTheLocksOfTheRules) {
  db_.execute("BEGIN; SELECT take_rule_lock('administrators')");
  auto other = database_.session();
  other.execute("SET lock_timeout = '1ms'");
  EXPECT_THROW(other.execute("SELECT take_rule_lock('administrators')"), PostgresError);
  other.execute("SELECT take_rule_lock('ids')");
  db_.execute("ROLLBACK");
}

}  // namespace
}  // namespace um
