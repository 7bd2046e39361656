// A real server on which commits hang: they wait for a synchronous standby that does not exist.
#include <atomic>
#include <thread>

#include <gtest/gtest.h>

#include "support/patience.hpp"
#include "support/pg_client.hpp"
#include "support/postgres_database.hpp"

namespace um::pg {
namespace {

using namespace std::chrono_literals;
using pg::testing::in;
using pg::testing::kOne;
using pg::testing::patient;

constexpr Query kInsertThing{.name = "insert",
                             .sql = "insert into things (name) values (gen_random_uuid()::text)"};
constexpr Query kTransactionId{.name = "transaction id",
                               .sql = "select pg_current_xact_id()::text"};
constexpr std::uint64_t kPlaces = 3;

class StallPgTest : public ::testing::Test {
 protected:
  StallPgTest() { admin_.execute(testing::kThings); }
  ~StallPgTest() override { let_commits_wait_for(""); }

  Options options() const {
    Options options;
    options.url = Secret{database_.url_as("postgres")};
    options.application_name = "stall test";
    options.transaction_connections = kPlaces;
    options.statement_timeout = 200ms;
    options.stall_margin = 100ms;
    options.backoff_first = options.backoff_most = 1ms;
    return options;
  }
  void let_commits_wait_for(const std::string& standby) {
    test::alter_system(admin_, "synchronous_standby_names", standby);
  }
  std::uint64_t backends() {
    return static_cast<std::uint64_t>(admin_.integer(
        "select count(*) from pg_stat_activity where application_name = 'stall test'"));
  }
  static Outcome<Rows> write(Client& client) {
    return test::run(client.write(kInsertThing, {}, patient()));
  }
  // More writes than there are places, with callers that soon give up.
  void write_and_count(Client& client) {
    std::vector<Task<Outcome<Rows>>> writes;
    for (std::uint64_t i = 0; i < 2 * kPlaces; ++i)
      writes.push_back(client.write(kInsertThing, {}, in(150ms)));
    test::run_all(std::move(writes));
    EXPECT_LE(backends(), kPlaces);
  }

  const test::PostgresServer server_;
  const test::TestDatabase database_{server_, test::TestDatabase::Content::empty};
  BlockingConnection admin_ = database_.admin();
};

TEST_F(StallPgTest, CommitsThatHangOccupyNoMoreBackendsThanConfigured) {
  Client client{options()};
  ASSERT_TRUE(write(client));
  let_commits_wait_for("nosuch");
  EXPECT_TRUE(e2e::eventually([&] {
    write_and_count(client);
    return client.stats().transactions.stalled_now == kPlaces;
  }));
  const auto end = BootClock::now() + 1s;
  while (BootClock::now() < end) write_and_count(client);
  EXPECT_EQ(backends(), kPlaces);
  EXPECT_EQ(client.stats().transactions.opened, kPlaces);
  EXPECT_EQ(write(client).error().kind, Failure::lost);
  EXPECT_TRUE(test::run(client.look_up(kOne, {}, patient())));

  let_commits_wait_for("");
  EXPECT_TRUE(e2e::eventually(
      [&] { return write(client) && client.stats().transactions.stalled_now == 0; }));
  EXPECT_EQ(client.stats().transactions.lost, kPlaces);
  // The look-up had one more; a backend ends a moment after its connection.
  EXPECT_TRUE(e2e::eventually([&] { return backends() <= kPlaces + 1; }));
}

TEST_F(StallPgTest, ABatchWhoseCommitHangsTellsTheProcessThatHangs) {
  Client client{options()};
  let_commits_wait_for("nosuch");
  BatchOutcome made;
  EXPECT_TRUE(e2e::eventually([&] {
    made = test::run(client.batch({.statements = {{&kInsertThing}}}, patient()));
    return !made.rows;
  }));
  ASSERT_FALSE(made.rows);
  EXPECT_EQ(made.rows.error().kind, Failure::unknown_outcome);
  EXPECT_FALSE(made.first);
  EXPECT_EQ(
      admin_.text("select wait_event from pg_stat_activity where pid = $1", {made.server_process}),
      "SyncRep");
  const auto before = admin_.integer("select count(*) from things");
  let_commits_wait_for("");
  EXPECT_TRUE(
      e2e::eventually([&] { return admin_.integer("select count(*) from things") == before + 1; }));
}

class CancelledWait : public StallPgTest {
 protected:
  CancelledWait() { let_commits_wait_for("nosuch"); }

  // Cancels the wait of whatever commits meanwhile.
  template <class T>
  T with_cancelled_wait(Task<T> task) {
    std::atomic<bool> done = false;
    std::thread administrator{[&] {
      BlockingConnection other = database_.admin();
      while (!done) {
        other.execute(
            "select pg_cancel_backend(pid) from pg_stat_activity"
            " where application_name = 'stall test' and wait_event = 'SyncRep'");
        std::this_thread::yield();
      }
    }};
    T result = test::run(std::move(task));
    done = true;
    administrator.join();
    return result;
  }
  std::int64_t things() { return admin_.integer("select count(*) from things"); }

  Options patient_options() const {
    Options patient = options();
    patient.stall_margin = 20s;
    return patient;
  }
  Client client_{patient_options()};
};

// It was committed, so it is no failure, and a failover may undo it, so it is no success.
TEST_F(CancelledWait, IsTheEndOfAWriteThatIsNotReplicated) {
  const auto written = with_cancelled_wait(client_.write(kInsertThing, {}, patient()));
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().kind, Failure::not_replicated);
  EXPECT_EQ(to_error(written.error()).code, ErrorCode::unknown_outcome);
  EXPECT_EQ(things(), 1);
}

TEST_F(CancelledWait, IsTheEndOfATransactionThatIsNotReplicated) {
  const auto work = [](Transaction& transaction) -> Task<Outcome<Rows>> {
    auto rows = co_await transaction.run(kInsertThing);
    co_return rows;
  };
  const auto made = with_cancelled_wait(client_.transaction<Rows>(patient(), work));
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().kind, Failure::not_replicated);
  EXPECT_EQ(things(), 1);
}

TEST_F(CancelledWait, IsTheEndOfABatchThatTellsItsTransaction) {
  Batch batch{.statements = {{&kTransactionId}, {&kInsertThing}}};
  const BatchOutcome made = with_cancelled_wait(client_.batch(std::move(batch), patient()));
  ASSERT_FALSE(made.rows);
  EXPECT_EQ(made.rows.error().kind, Failure::not_replicated);
  ASSERT_TRUE(made.first);
  EXPECT_EQ(admin_.text("select pg_xact_status($1::xid8)", {made.first->text(0, 0)}), "committed");
}

TEST_F(CancelledWait, SaysNothingAboutTheNextWriteOfTheConnection) {
  ASSERT_FALSE(with_cancelled_wait(client_.write(kInsertThing, {}, patient())));
  let_commits_wait_for("");
  EXPECT_TRUE(write(client_));
}

}  // namespace
}  // namespace um::pg
