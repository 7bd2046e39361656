// An open database when its files are moved, replaced or deleted.
#include <sqlite3.h>

#include "drivers/sqlite/reader_pool.hpp"
#include "support/writer_stage.hpp"

namespace um::sqlite {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class MovedFile : public WriterStage {
 protected:
  MovedFile() {
    EXPECT_TRUE(test::run(insert("before")));
    observer_.take();
  }
  std::filesystem::path part(const std::string& suffix) const { return file_.string() + suffix; }
  void move_away(const std::string& suffix) const {
    std::filesystem::rename(part(suffix), part(suffix + ".gone"));
  }
  void move_back(const std::string& suffix) const {
    std::filesystem::rename(part(suffix + ".gone"), part(suffix));
  }
  void expect_refused() {
    const auto answer = test::run(insert("lost"));
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, ErrorCode::unavailable);
    EXPECT_TRUE(answer.error().retry_after);
    EXPECT_THAT(answer.error().detail, HasSubstr("moved"));
    EXPECT_TRUE(writer_->files().moved());
    EXPECT_TRUE(writer_->troubled());
    EXPECT_THAT(observer_.take(), IsEmpty());
  }
  // The next group, not only the next tick.
  void expect_all_is_well() {
    EXPECT_TRUE(test::run(insert("after")));
    EXPECT_FALSE(writer_->troubled());
    EXPECT_THAT(observer_.take(), Contains("opened"));
    EXPECT_EQ(rows(), 2);
    ASSERT_THAT(lines(), SizeIs(2));
    EXPECT_THAT(lines().back(), HasSubstr("again"));
  }
};

TEST_F(MovedFile, RefusesEveryWriteUntilAllOfItIsBack) {
  for (const char* suffix : {"", "-wal", "-shm"}) move_away(suffix);
  expect_refused();
  expect_refused();
  EXPECT_THAT(lines(), SizeIs(1));
  EXPECT_THAT(lines().front(), HasSubstr(file_.string()));
  for (const char* suffix : {"", "-shm"}) move_back(suffix);
  EXPECT_FALSE(test::run(insert("lost")));  // the log is not there
  move_back("-wal");
  EXPECT_TRUE(test::run(insert("after")));
  EXPECT_THAT(observer_.take(), Contains("opened"));
  EXPECT_EQ(rows(), 2);
}

TEST_F(MovedFile, TheDatabaseAloneIsEnough) {
  move_away("");
  expect_refused();
  move_back("");
  expect_all_is_well();
}

TEST_F(MovedFile, TheLogAloneIsEnough) {
  move_away("-wal");
  expect_refused();
  EXPECT_THAT(lines().front(), HasSubstr("-wal"));
  move_back("-wal");
  expect_all_is_well();
}

TEST_F(MovedFile, TheIndexOfTheLogAloneIsEnough) {
  move_away("-shm");
  expect_refused();
  move_back("-shm");
  expect_all_is_well();
}

TEST_F(MovedFile, ACopyInItsPlaceIsAnotherDatabase) {
  move_away("");
  std::filesystem::copy_file(part(".gone"), file_);
  expect_refused();
  std::filesystem::remove(file_);
  move_back("");
  expect_all_is_well();
}

TEST_F(MovedFile, AFileOfAnotherDatabaseIsNotOpenedAfterAFailure) {
  vfs_.fail_writes(SQLITE_IOERR_WRITE);
  EXPECT_FALSE(test::run(insert("a")));  // its connection is closed now, and opened when needed
  move_away("");
  std::filesystem::copy_file(part(".gone"), file_);
  vfs_.fail_writes(0);
  EXPECT_FALSE(test::run(insert("b")));
  std::filesystem::remove(file_);
  move_back("");
  EXPECT_TRUE(test::run(insert("after")));
}

TEST_F(MovedFile, TicksVouchForNothing) {
  tick(1);
  move_away("");
  expect_refused();
  const int before = observer_.ticks;
  for (int i = 0; i < 20; ++i) {
    clock_.advance(std::chrono::milliseconds{1});
    EXPECT_FALSE(test::run(insert("lost")));  // an accepted write would have caused a tick
  }
  EXPECT_EQ(observer_.ticks, before);
  move_back("");
  tick(1);
}

TEST_F(MovedFile, ReadersRefuseToo) {
  const auto pool = [&] {
    return std::make_unique<ReaderPool>(ReaderPool::Options{
        .connection = {.file = file_, .mode = Connection::Mode::read_only, .clock = &clock_},
        .threads = 1,
        .clock = &clock_,
        .files = &writer_->files()});
  };
  const auto read = [](ReaderPool& readers) {
    return test::run(readers.run<std::int64_t>({}, [](Connection& db) -> Result<std::int64_t> {
      return db.integer("SELECT count(*) FROM t");
    }));
  };
  const auto readers = pool();
  readers->start();
  EXPECT_EQ(read(*readers), 1);
  move_away("");
  expect_refused();
  const auto refused = read(*readers);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::unavailable);
  move_back("");
  EXPECT_TRUE(test::run(insert("after")));
  EXPECT_EQ(read(*readers), 2);
}

TEST_F(MovedFile, AReaderDoesNotOpenWhatTookItsPlace) {
  const OpenFiles& files = writer_->files();
  Connection right{{.file = file_, .mode = Connection::Mode::read_only}};
  EXPECT_NO_THROW(files.check_other(right));
  move_away("");
  EXPECT_THROW(files.check_other(right), SqliteError);
  Connection wrong{{.file = file_}};
  wrong.execute("CREATE TABLE t (text TEXT)");
  EXPECT_THROW(files.check_other(wrong), SqliteError);
  std::filesystem::remove(file_);
  move_back("");
  EXPECT_NO_THROW(files.check_other(right));
  EXPECT_THROW(files.check_other(wrong), SqliteError);
}

}  // namespace
}  // namespace um::sqlite
