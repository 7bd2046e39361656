#include "drivers/sqlite/backup.hpp"

#include <atomic>
#include <fstream>
#include <functional>
#include <sys/stat.h>
#include <thread>

#include <gtest/gtest.h>

#include "drivers/sqlite/connection.hpp"
#include "support/temp_directory.hpp"

namespace um::sqlite {
namespace {

class BackupTest : public ::testing::Test {
 protected:
  BackupTest() {
    db_.execute(
        "PRAGMA journal_mode = WAL; CREATE TABLE t (text TEXT);"
        "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 20000)"
        " INSERT INTO t SELECT printf('%0500d', i) FROM n");
  }
  std::int64_t rows(const std::filesystem::path& file) {
    Connection copy{{.file = file, .mode = Connection::Mode::read_only}};
    return copy.integer("SELECT count(*) FROM t");
  }
  // Tries `meanwhile` on another thread until it worked or the backup has ended.
  Result<void> back_up_while(const std::function<bool()>& meanwhile) {
    std::atomic<bool> ended{false};
    std::thread other{[&] {
      while (!meanwhile() && !ended) std::this_thread::yield();
    }};
    auto result = back_up({.source = file_, .target = target_});
    ended = true;
    other.join();
    return result;
  }
  const test::TempDirectory directory_;
  const std::filesystem::path file_ = directory_.path() / "t.db";
  const std::filesystem::path target_ = directory_.path() / "copy.db";
  const std::filesystem::path partial_ = directory_.path() / "copy.db.partial";
  Connection db_{{.file = file_}};
};

TEST_F(BackupTest, IsTheStateAtItsBeginningWhateverIsWrittenMeanwhile) {
  const auto done = back_up_while([this] {
    // Once a page of the copy is on the disk the backup has begun.
    std::error_code not_there_yet;
    const auto size = std::filesystem::file_size(partial_, not_there_yet);
    if (not_there_yet || size == 0) return false;
    db_.execute("INSERT INTO t VALUES ('meanwhile')");
    return true;
  });
  ASSERT_TRUE(done) << done.error().detail;
  EXPECT_EQ(rows(target_), 20000);
}

TEST_F(BackupTest, IsOneFileForItsOwnerOnly) {
  ASSERT_TRUE(back_up({.source = file_, .target = target_}));
  struct stat status{};
  ASSERT_EQ(::stat(target_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  for (const char* suffix : {"-wal", "-shm", "-journal", ".partial", ".partial-journal"}) {
    EXPECT_FALSE(std::filesystem::exists(target_.string() + suffix)) << suffix;
  }
}

TEST_F(BackupTest, ATargetThatExistsIsNotTouched) {
  std::ofstream{target_} << "precious";
  const auto refused = back_up({.source = file_, .target = target_});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::conflict);
  EXPECT_EQ(std::filesystem::file_size(target_), 8U);
}

TEST_F(BackupTest, ATargetThatAppearsMeanwhileIsNotTouched) {
  db_.execute("PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE");  // no other connection can read it
  const auto refused = back_up_while([this] {
    if (!std::filesystem::exists(partial_)) return false;
    std::ofstream{target_} << "precious";
    db_.execute("COMMIT");
    return true;
  });
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::conflict);
  EXPECT_EQ(std::filesystem::file_size(target_), 8U);
  EXPECT_FALSE(std::filesystem::exists(partial_));
}

TEST_F(BackupTest, ASourceThatIsMissingOrNoDatabaseLeavesNothingBehind) {
  const auto text = directory_.path() / "text";
  std::ofstream{text} << std::string(5000, 'x');
  for (const auto& source : {directory_.path() / "nothing", text}) {
    const auto refused = back_up({.source = source, .target = target_});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::unavailable);
    EXPECT_FALSE(std::filesystem::exists(target_));
    EXPECT_FALSE(std::filesystem::exists(partial_));
  }
}

}  // namespace
}  // namespace um::sqlite
