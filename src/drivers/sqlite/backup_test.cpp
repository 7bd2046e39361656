#include "drivers/sqlite/backup.hpp"

#include <fstream>
#include <sys/stat.h>

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
        "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 5000)"
        " INSERT INTO t SELECT printf('%0500d', i) FROM n");
  }
  std::int64_t rows(const std::filesystem::path& file) {
    Connection copy{{.file = file, .mode = Connection::Mode::read_only}};
    return copy.integer("SELECT count(*) FROM t");
  }
  const test::TempDirectory directory_;
  const std::filesystem::path file_ = directory_.path() / "t.db";
  const std::filesystem::path target_ = directory_.path() / "copy.db";
  Connection db_{{.file = file_}};
};

TEST_F(BackupTest, IsTheStateAtItsBeginningWhateverIsWrittenMeanwhile) {
  int reports = 0;
  BackupProgress last;
  const auto done = back_up({.source = file_, .target = target_, .progress = [&](const auto& now) {
                               db_.execute("INSERT INTO t VALUES ('meanwhile')");
                               ++reports;
                               last = now;
                             }});
  ASSERT_TRUE(done) << done.error().detail;
  EXPECT_EQ(rows(target_), 5000);
  EXPECT_GT(reports, 1);
  EXPECT_EQ(rows(file_), 5000 + reports);
  EXPECT_EQ(last.pages_done, last.pages_total);
  EXPECT_GT(last.pages_total, 500);
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
  const auto refused = back_up({.source = file_, .target = target_, .progress = [&](const auto&) {
                                  std::ofstream{target_} << "precious";
                                }});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::conflict);
  EXPECT_EQ(std::filesystem::file_size(target_), 8U);
  EXPECT_FALSE(std::filesystem::exists(target_.string() + ".partial"));
}

TEST_F(BackupTest, ASourceThatIsMissingOrNoDatabaseLeavesNothingBehind) {
  const auto text = directory_.path() / "text";
  std::ofstream{text} << std::string(5000, 'x');
  for (const auto& source : {directory_.path() / "nothing", text}) {
    const auto refused = back_up({.source = source, .target = target_});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::unavailable);
    EXPECT_FALSE(std::filesystem::exists(target_));
    EXPECT_FALSE(std::filesystem::exists(target_.string() + ".partial"));
  }
}

}  // namespace
}  // namespace um::sqlite
