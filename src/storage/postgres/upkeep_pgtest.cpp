// What instances do for each other on a real server, and the plans of the feed's statements.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/postgres/feed_queries.hpp"
#include "storage/postgres/testing/stage.hpp"
#include "storage/postgres/upkeep.hpp"

namespace um {
namespace {

using namespace std::chrono_literals;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class PostgresUpkeepTest : public ::testing::Test, protected test::PostgresStage {
 protected:
  void keep_up() { ASSERT_TRUE(test::run(upkeep_.run(kNever))); }
  std::int64_t instances() { return session_.integer("SELECT count(*) FROM cache_instances"); }
  void add_instance(const std::string& id) {
    session_.run("INSERT INTO cache_instances (id, refreshes, protocol) VALUES ($1::uuid, 7, 1)",
                 {id});
  }

  BlockingConnection session_ = db.session();
  PostgresChangeFeed feed_{{.url = Secret{db.url()}, .clock = &clock}};  // is never started
  std::vector<std::string> lines_;
  PostgresUpkeep upkeep_{stores.database, feed_, {}, {.log = [this](std::string_view line) {
                           lines_.emplace_back(line);
                         }}};
};

TEST_F(PostgresUpkeepTest, ARowWhoseCounterStandsIsRemovedAfterItsTime) {
  const std::string silent = "00000000-0000-0000-0000-000000000001";
  const std::string alive = "00000000-0000-0000-0000-000000000002";
  add_instance(silent);
  auto session = db.session();  // with the lock of a session that goes on
  for (const std::string& id : {silent, alive})
    session.run("SELECT pg_advisory_lock(hashtextextended($1::uuid::text, 0))", {id});
  add_instance(alive);
  keep_up();
  clock.advance(14s);
  keep_up();
  EXPECT_EQ(instances(), 2);
  session_.run("UPDATE cache_instances SET refreshes = 8 WHERE id = $1::uuid", {alive});
  clock.advance(2s);
  keep_up();
  EXPECT_EQ(session_.text("SELECT id FROM cache_instances"), alive);
}

TEST_F(PostgresUpkeepTest, ARowWithoutASessionIsRemovedAfterTheLongestLease) {
  add_instance("00000000-0000-0000-0000-000000000001");
  keep_up();
  EXPECT_EQ(instances(), 1);
  clock.advance(2s);
  keep_up();
  EXPECT_EQ(instances(), 0);
  EXPECT_THAT(lines_, ElementsAre(HasSubstr("its session has ended")));
}

TEST_F(PostgresUpkeepTest, AnInstanceThatAcknowledgesNothingIsNamedOnce) {
  session_.execute(
      "INSERT INTO cache_instances (id, protocol, name) VALUES"
      " (gen_random_uuid(), 0, 'old:8080'), (gen_random_uuid(), 1, 'new:8080')");
  keep_up();
  clock.advance(2s);
  keep_up();
  EXPECT_EQ(upkeep_.stats().without_protocol, 1U);
  EXPECT_THAT(lines_, Contains(HasSubstr("old:8080 runs a version")).Times(1));
  EXPECT_THAT(lines_, Not(Contains(HasSubstr("new:8080 runs a version"))));
}

TEST_F(PostgresUpkeepTest, AMarkFromTheFutureStopsNoPurge) {
  session_.execute(
      "INSERT INTO snapshot_marks (tau, snapshot, taken_at) VALUES"
      " (cache_namespace(), pg_current_snapshot(), now() + interval '1 year')");
  add("one@x.org");
  session_.execute("SELECT take_snapshot_mark()");
  keep_up();
  EXPECT_EQ(session_.integer("SELECT count(*) FROM snapshot_marks WHERE taken_at > now()"), 0);
  EXPECT_EQ(session_.integer("SELECT count(*) FROM user_changes"), 0);
}

// The batches of a purge go on where the last one ended: an open transaction keeps what they have
// removed in the index.
TEST_F(PostgresUpkeepTest, APurgeBeginsWhereTheLastOneEnded) {
  session_.execute("INSERT INTO user_changes (ckey) SELECT 'k' FROM generate_series(1, 10)");
  session_.execute("INSERT INTO user_changes (ckey) SELECT 'l' FROM generate_series(1, 10)");
  session_.execute("SELECT take_snapshot_mark()");
  const auto first =
      session_.run("SELECT purged, horizon, next_since FROM purge_changes(15, NULL, NULL)");
  EXPECT_EQ(first.integer(0, 0), 15);
  const auto second =
      session_.run("SELECT purged FROM purge_changes(15, NULL, $1::xid8)", {first.text(0, 2)});
  EXPECT_EQ(second.integer(0, 0), 5);
  // A later purge skips what is below the horizon of the last one that was complete.
  session_.execute("INSERT INTO user_changes (xid, ckey) VALUES ('3', 'old')");
  EXPECT_EQ(session_.integer("SELECT purged FROM purge_changes(15, $1::pg_snapshot, NULL)",
                             {first.text(0, 1)}),
            0);
  EXPECT_EQ(session_.integer("SELECT purged FROM purge_changes(15, NULL, NULL)"), 1);
}

// The planner takes a third of the table for the bound of a poll, and a ring for random.
TEST_F(PostgresUpkeepTest, APollReadsTheChangesByIndexWhateverThePlannerBelieves) {
  session_.execute(
      "INSERT INTO user_changes (xid, ckey) SELECT (1000000 + i)::text::xid8, 'k'"
      " FROM generate_series(1, 60000) i;"
      "INSERT INTO user_changes (xid, ckey) SELECT i::text::xid8, 'k'"
      " FROM generate_series(500000, 560000) i; ANALYZE user_changes");
  const auto plan = [&] {
    std::string text;
    const auto rows = session_.run("EXPLAIN EXECUTE poll('1060000:1060000:', 10001, 'x', '{}')");
    for (std::size_t i = 0; i < rows.size(); ++i) text += std::string{rows.text(i, 0)} + '\n';
    return text;
  };
  const auto prepare = [&] {
    session_.execute("DEALLOCATE ALL; SET plan_cache_mode = force_generic_plan");
    session_.execute("PREPARE poll (text, bigint, text, uuid[]) AS " +
                     std::string{postgres_feed_queries::kPoll.sql});
  };
  prepare();
  EXPECT_THAT(plan(), HasSubstr("Seq Scan on user_changes")) << "else this test shows nothing";
  session_.run(std::string{postgres_feed_queries::kSessionSettings.sql}, {1000, 200});
  prepare();
  EXPECT_THAT(plan(), Not(HasSubstr("Seq Scan on user_changes")));
  EXPECT_THAT(plan(), Not(HasSubstr("Bitmap")));
}

}  // namespace
}  // namespace um
