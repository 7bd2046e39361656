#include "drivers/sqlite/connection.hpp"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include "support/temp_directory.hpp"

namespace um::sqlite {
namespace {

using namespace std::chrono_literals;

constexpr Query kInsert{"insert", "INSERT INTO t VALUES (?1, ?2, ?3)"};
constexpr Query kAll{"all", "SELECT number, text, bytes FROM t ORDER BY rowid"};
constexpr Query kEndless{"endless",
                         "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n)"
                         " SELECT count(*) FROM n"};
constexpr Query kWrong{"wrong", "SELECT nonsense FROM t"};

class ConnectionTest : public ::testing::Test {
 protected:
  ConnectionTest() {
    db().execute("CREATE TABLE t (number INTEGER, text TEXT, bytes BLOB) STRICT");
  }
  Connection& db() { return *db_; }
  const test::TempDirectory directory_;
  ManualClock clock_;
  const std::array<const Query*, 4> queries_{&kInsert, &kAll, &kEndless, &kWrong};
  QueryStats stats_{queries_};
  std::unique_ptr<Connection> db_ = std::make_unique<Connection>(
      Connection::Options{.file = directory_.path() / "t.db", .stats = &stats_, .clock = &clock_});
};

TEST_F(ConnectionTest, ParametersComeBackAsTheyWere) {
  const std::string with_nul{"a\0b", 3};
  db().run(kInsert, 42, with_nul, Blob{with_nul}).finish();
  db().run(kInsert, std::nullopt, std::optional<std::string>{}, std::nullopt).finish();
  db().run(kInsert, true, std::string_view{}, Blob{"x"}).finish();
  auto run = db().run(kAll);
  ASSERT_TRUE(run.next());
  EXPECT_EQ(run.integer(0), 42);
  EXPECT_EQ(run.text(1), with_nul);
  EXPECT_EQ(run.text(2), with_nul);
  ASSERT_TRUE(run.next());
  EXPECT_TRUE(run.null(0));
  EXPECT_FALSE(run.optional_text(1));
  ASSERT_TRUE(run.next());
  EXPECT_EQ(run.integer(0), 1);
  EXPECT_EQ(run.optional_text(1), "");
  EXPECT_FALSE(run.next());
}

TEST_F(ConnectionTest, AnAbandonedRunLeavesNothingBehind) {
  db().run(kInsert, 1, "a", std::nullopt).finish();
  {
    EXPECT_TRUE(db().run(kAll).next());
  }
  auto again = db().run(kAll);
  EXPECT_TRUE(again.next());
  EXPECT_FALSE(again.next());
}

TEST_F(ConnectionTest, AStatementIsInterruptedWhenItsDeadlineHasPassed) {
  db().limit(Deadline::after(clock_, 1s));
  clock_.advance(2s);
  try {
    db().run(kEndless).finish();
    FAIL() << "it ended";
  } catch (const SqliteError& error) {
    EXPECT_EQ(error.fault(), Fault::interrupted);
    EXPECT_EQ(to_error(error).code, ErrorCode::timeout);
  }
}

TEST_F(ConnectionTest, WrongSqlIsABug) {
  try {
    db().run(kWrong);
    FAIL() << "it was prepared";
  } catch (const SqliteError& error) {
    EXPECT_EQ(error.fault(), Fault::bug);
    EXPECT_EQ(to_error(error).code, ErrorCode::internal);
  }
}

TEST_F(ConnectionTest, CallsAreCountedWithTheirFailures) {
  db().run(kInsert, 1, "a", std::nullopt).finish();
  EXPECT_THROW(db().run(kInsert, "text", "a", std::nullopt).finish(), SqliteError);
  const auto* counters = stats_.find(kInsert);
  ASSERT_NE(counters, nullptr);
  EXPECT_EQ(counters->calls, 2U);
  EXPECT_EQ(counters->errors, 1U);
  std::uint64_t in_buckets = 0;
  for (const auto& bucket : counters->buckets) in_buckets += bucket;
  EXPECT_EQ(in_buckets, 2U);
}

TEST_F(ConnectionTest, AFileThatIsNoDatabaseIsAnIoFault) {
  const auto file = directory_.path() / "text";
  std::filesystem::copy_file("/proc/self/exe", file);
  Connection other{{.file = file}};
  try {
    other.integer("SELECT count(*) FROM sqlite_master");
    FAIL() << "it was read";
  } catch (const SqliteError& error) {
    EXPECT_EQ(error.fault(), Fault::io);
    EXPECT_EQ(to_error(error).code, ErrorCode::unavailable);
    EXPECT_TRUE(to_error(error).retry_after);
  }
}

TEST(QueryStats, EveryLatencyHasItsBucket) {
  QueryStats::Counters counters;
  counters.add(100us, false);  // a bound belongs to its bucket
  counters.add(101us, false);
  counters.add(2s, true);
  EXPECT_EQ(counters.buckets[0], 1U);
  EXPECT_EQ(counters.buckets[1], 1U);
  EXPECT_EQ(counters.buckets.back(), 1U);
}

}  // namespace
}  // namespace um::sqlite
