#include "drivers/sqlite/reader_pool.hpp"

#include <future>

#include <gtest/gtest.h>

#include "support/run_task.hpp"
#include "support/temp_directory.hpp"

namespace um::sqlite {
namespace {

using namespace std::chrono_literals;

constexpr Query kOne{"one", "SELECT 1"};
constexpr Query kWrite{"write", "CREATE TABLE u (i INTEGER)"};

Result<std::int64_t> one(Connection& db) {
  auto run = db.run(kOne);
  return run.next() ? run.integer(0) : 0;
}

class ReaderPoolTest : public ::testing::Test {
 protected:
  ReaderPoolTest() {
    Connection{{.file = file_}}.execute("PRAGMA journal_mode = WAL; CREATE TABLE t (i INTEGER)");
    pool_.start();
  }
  const test::TempDirectory directory_;
  const std::filesystem::path file_ = directory_.path() / "t.db";
  ManualClock clock_;
  ReaderPool pool_{
      {.connection = {.file = file_, .mode = Connection::Mode::read_only, .clock = &clock_},
       .threads = 1,
       .queue_capacity = 2,
       .clock = &clock_}};
};

TEST_F(ReaderPoolTest, AnswersWithWhatTheFunctionReturns) {
  EXPECT_EQ(test::run(pool_.run<std::int64_t>({}, &one)), 1);
}

TEST_F(ReaderPoolTest, CannotWrite) {
  const auto written = test::run(pool_.run<std::int64_t>({}, [](Connection& db) {
    db.run(kWrite).finish();
    return Result<std::int64_t>{1};
  }));
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, ErrorCode::unavailable);
}

TEST_F(ReaderPoolTest, AnExceptionIsAnInternalErrorAndThePoolGoesOn) {
  const auto thrown = test::run(pool_.run<std::int64_t>(
      {}, [](Connection&) -> Result<std::int64_t> { throw std::runtime_error("oops"); }));
  ASSERT_FALSE(thrown);
  EXPECT_EQ(thrown.error().code, ErrorCode::internal);
  EXPECT_TRUE(test::run(pool_.run<std::int64_t>({}, &one)));
}

TEST_F(ReaderPoolTest, AFullQueueRefusesAndTheOthersAreAnswered) {
  std::promise<void> go;
  std::promise<void> begun;
  std::vector<Task<Result<std::int64_t>>> reads;
  reads.push_back(pool_.run<std::int64_t>({}, [&](Connection& db) {
    begun.set_value();
    go.get_future().wait();
    return one(db);
  }));
  std::vector<Result<std::int64_t>> answers;
  std::thread blocked{[&] { answers = test::run_all(std::move(reads)); }};
  begun.get_future().wait();
  std::vector<Task<Result<std::int64_t>>> more;
  for (int i = 0; i < 3; ++i) more.push_back(pool_.run<std::int64_t>({}, &one));
  std::thread releasing{[&] {
    while (pool_.queue().refused() == 0) std::this_thread::yield();
    go.set_value();
  }};
  const auto rest = test::run_all(std::move(more));
  releasing.join();
  blocked.join();
  EXPECT_TRUE(answers.at(0) && rest.at(0) && rest.at(1));
  ASSERT_FALSE(rest.at(2));
  EXPECT_EQ(rest.at(2).error().code, ErrorCode::overloaded);
  EXPECT_TRUE(rest.at(2).error().retry_after);
}

TEST_F(ReaderPoolTest, StopFinishesWhatWasAcceptedAndRefusesTheRest) {
  const auto before = test::run(pool_.run<std::int64_t>({}, &one));
  pool_.stop();
  EXPECT_TRUE(before);
  const auto after = test::run(pool_.run<std::int64_t>({}, &one));
  ASSERT_FALSE(after);
  EXPECT_EQ(after.error().code, ErrorCode::unavailable);
}

}  // namespace
}  // namespace um::sqlite
