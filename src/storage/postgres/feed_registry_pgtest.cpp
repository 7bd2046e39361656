// The feed and the registry of instances on a real server, and an instance's own writes during a
// flush.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/postgres/testing/feed_stage.hpp"
#include "storage/testing/leaving_listener.hpp"

namespace um {
namespace {

using namespace std::chrono_literals;
using e2e::eventually;
using test::Following;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class PostgresFeedRegistry : public ::testing::Test {
 protected:
  std::string ids() {
    return db_.text("SELECT coalesce(string_agg(id::text, ' '), '') FROM cache_instances");
  }
  std::int64_t instances() { return db_.integer("SELECT count(*) FROM cache_instances"); }

  const test::TestDatabase database_;
  BlockingConnection db_ = database_.session();
  ManualClock clock_;
};

TEST_F(PostgresFeedRegistry, AnInstanceIsInItBeforeItsFirstPoll) {
  class FirstPoll final : public ChangeListener {
   public:
    explicit FirstPoll(BlockingConnection& db) : db_{db} {}
    void hold(std::span<const std::string>) override {}
    void settle(std::span<const std::string>, std::optional<Xid>) override {}
    Leftovers apply(const Poll&) override {
      if (seen == -1) seen = db_.integer("SELECT count(*) FROM cache_instances");
      return {};
    }
    std::atomic<std::int64_t> seen{-1};

   private:
    BlockingConnection& db_;
  };
  FirstPoll listener{db_};
  PostgresChangeFeed feed{{.url = Secret{database_.url()}, .clock = &clock_}};
  feed.start(listener);
  EXPECT_TRUE(eventually([&] { return listener.seen != -1; }));
  feed.stop();
  EXPECT_EQ(listener.seen, 1);
}

TEST_F(PostgresFeedRegistry, WhoWasTakenOutHasNoLeaseStartsOverAndJoinsUnderAnotherId) {
  Following feed{database_, clock_};
  feed->pause();
  const auto before = ids();
  EXPECT_NE(before, "");
  db_.execute("DELETE FROM cache_instances");
  feed->events();
  clock_.advance(2s);
  feed->resume();
  EXPECT_TRUE(eventually([&] { return instances() == 1; }));
  EXPECT_NE(ids(), before);
  EXPECT_TRUE(eventually([&] { return feed->next().flush_reason == "expelled"; }));
  feed->pause();
  EXPECT_THAT(feed->events(),
              ElementsAre("poll", "end lease", "end lease", "flush", "refresh", "poll"));
}

TEST_F(PostgresFeedRegistry, ARefreshThatIsAcknowledgedIsToldAfterTheNextPoll) {
  Following feed{database_, clock_};
  feed->pause();
  feed->events();
  const auto counted = db_.integer("SELECT refreshes FROM cache_instances");
  clock_.advance(2s);
  feed->resume();
  feed->next();
  feed->next();
  feed->pause();
  EXPECT_THAT(feed->events(), ElementsAre("poll", "refresh", "poll"));
  EXPECT_EQ(db_.integer("SELECT refreshes FROM cache_instances"), counted + 1);
}

// Its polls go on, so memory answers; and the log does not fill up.
TEST_F(PostgresFeedRegistry, ARefusedAcknowledgementIsReportedOnceUntilItSucceeds) {
  const SystemClock clock;
  std::mutex mutex;
  std::vector<std::string> lines;
  const auto log = [&](std::string_view line) {
    const std::scoped_lock lock{mutex};
    lines.emplace_back(line);
  };
  const auto read = [&] {
    const std::scoped_lock lock{mutex};
    return lines;
  };
  test::LeavingListener listener{[] {}};
  PostgresChangeFeed feed{{.url = Secret{database_.url()},
                           .clock = &clock,
                           .poll_interval = 10ms,
                           .statement_time = 20s,
                           .lock_time = 10ms,
                           .connect_time = 20s,
                           .log = log}};
  feed.start(listener);
  EXPECT_TRUE(eventually([&] { return listener.polls > 1; }));
  auto locker = database_.session();
  locker.execute("BEGIN; LOCK TABLE cache_acks IN ACCESS EXCLUSIVE MODE");
  db_.text("SELECT place_holds(ARRAY[gen_random_uuid()], ARRAY['user:1'::bytea])");
  EXPECT_TRUE(eventually([&] { return !read().empty(); }));
  const auto refused = [&] {
    std::uint64_t errors = 0;
    for (const auto& [query, counters] : feed.query_stats().all())
      if (query->name == "acknowledge_holds") errors += counters.errors;
    return errors;
  };
  const std::uint64_t polls = listener.polls;
  EXPECT_TRUE(eventually([&] { return refused() >= 3 && listener.polls > polls + 3; }));
  EXPECT_THAT(read(), ElementsAre(HasSubstr("cannot acknowledge holds")));
  locker.execute("COMMIT");
  EXPECT_TRUE(eventually([&] { return read().size() == 2; }));
  EXPECT_EQ(read().back(), "the feed works again");
  feed.stop();
}

// A poll that flushes throws the log away. A commit of this process after the poll was sent is not
// in the poll's snapshot, so its keys stay held until the next poll brings the changes.
TEST_F(PostgresFeedRegistry, AWriteThatSettlesWhileAnAnswerThatStartsOverIsUnderWayStaysHeld) {
  db_.execute("INSERT INTO users (email) VALUES ('a@x.org')");
  // The poll waits for the lock after it has taken its snapshot.
  db_.execute(
      "DO $do$ BEGIN EXECUTE replace(pg_get_functiondef('cache_state'::regproc),"
      " 'public.cache_state', 'public.real_state'); END $do$;"
      "CREATE OR REPLACE FUNCTION public.cache_state() RETURNS text LANGUAGE plpgsql STABLE AS"
      " $$ BEGIN PERFORM pg_advisory_xact_lock_shared(42); RETURN public.real_state(); END $$");
  const SystemClock clock;
  Following feed{database_, clock};
  feed->pause();
  db_.execute("SELECT bump_cache_epoch()");
  db_.execute("SELECT pg_advisory_lock(42)");
  feed->events();
  feed->resume();
  ASSERT_TRUE(eventually([&] {
    return db_.integer(
               "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
               " AND database = (SELECT oid FROM pg_database WHERE datname ="
               " current_database())") == 1;
  }));
  const std::vector<std::string> keys{"user:1"};
  feed.feed().before_commit(keys);
  const auto xid = db_.integer(
      "UPDATE users SET first_name = 'New' WHERE id = 1 RETURNING "
      "pg_current_xact_id()::text::bigint");
  feed.feed().after_commit(keys, {.fate = PostgresWriteObserver::WriteEnd::Fate::committed,
                                  .xid = static_cast<Xid>(xid),
                                  .tau = feed.first.stamp.tau});
  db_.execute("SELECT pg_advisory_unlock(42)");
  const Poll started_over = feed->next();
  EXPECT_TRUE(started_over.flush_reason);
  EXPECT_FALSE(started_over.stamp.snapshot.sees(static_cast<Xid>(xid)));
  const Poll after = feed->next();
  EXPECT_TRUE(
      std::ranges::any_of(after.changes, [](const Change& c) { return c.key == "user:1"; }));
  feed->pause();
  EXPECT_THAT(feed->events(),
              ElementsAre("hold user:1", "settle user:1", "end lease", "hold user:1", "flush",
                          "end lease", "poll", "let go user:1", "refresh", "poll"));
}

}  // namespace
}  // namespace um
