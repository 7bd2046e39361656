#include "storage/sqlite/migrator.hpp"

#include <sys/stat.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "drivers/sqlite/connection.hpp"
#include "storage/migration.hpp"
#include "support/temp_directory.hpp"

namespace um {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class SqliteMigratorTest : public ::testing::Test {
 protected:
  std::unique_ptr<sqlite::Connection> open() {
    return std::make_unique<sqlite::Connection>(sqlite::Connection::Options{.file = file_});
  }
  const test::TempDirectory directory_;
  const std::filesystem::path file_ = directory_.path() / "users.db";
  const ManualClock clock_;
  const SqliteMigrator migrator_{{.file = file_, .clock = &clock_}};
};

TEST(Migrations, AreNumberedWithoutAGap) {
  int number = 0;
  for (const Migration& migration : sqlite_schema::migrations()) {
    EXPECT_EQ(migration.number, ++number);
    EXPECT_EQ(migration.sha256.size(), 64U);
    EXPECT_FALSE(migration.sql.empty());
  }
  EXPECT_GT(number, 0);
}

TEST_F(SqliteMigratorTest, AskingWhatIsPendingMakesNoFile) {
  const auto plan = migrator_.pending();
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->pending.size(), sqlite_schema::migrations().size());
  EXPECT_EQ(plan->pending.front(), "0001_initial");
  EXPECT_FALSE(std::filesystem::exists(file_));
}

TEST_F(SqliteMigratorTest, AppliesOnceAndThenNothing) {
  const auto first = migrator_.apply(Misfits::refuse);
  ASSERT_TRUE(first) << first.error().detail;
  EXPECT_EQ(first->pending.size(), sqlite_schema::migrations().size());
  EXPECT_TRUE(migrator_.pending()->empty());
  EXPECT_TRUE(migrator_.apply(Misfits::refuse)->empty());
}

TEST_F(SqliteMigratorTest, ANewFileIsForItsOwnerOnly) {
  ASSERT_TRUE(migrator_.apply(Misfits::refuse));
  struct stat status{};
  ASSERT_EQ(::stat(file_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

TEST_F(SqliteMigratorTest, AMigrationThatWasChangedIsRefused) {
  ASSERT_TRUE(migrator_.apply(Misfits::refuse));
  open()->execute("UPDATE schema_migrations SET sha256 = 'other' WHERE number = 1");
  for (const auto& plan : {migrator_.pending(), migrator_.apply(Misfits::refuse)}) {
    ASSERT_FALSE(plan);
    EXPECT_EQ(plan.error().code, ErrorCode::invalid);
    EXPECT_THAT(plan.error().detail, HasSubstr("0001_initial"));
  }
}

TEST_F(SqliteMigratorTest, ANewerSchemaIsRefused) {
  ASSERT_TRUE(migrator_.apply(Misfits::refuse));
  open()->execute("INSERT INTO schema_migrations VALUES (9999, '9999_future', 'x', 0)");
  const auto plan = migrator_.apply(Misfits::refuse);
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().code, ErrorCode::invalid);
  EXPECT_THAT(plan.error().detail, HasSubstr("9999_future"));
}

TEST_F(SqliteMigratorTest, ADatabaseOfAnotherProgramIsLeftAlone) {
  open()->execute("CREATE TABLE users (name TEXT); INSERT INTO users VALUES ('x')");
  const auto plan = migrator_.apply(Misfits::quarantine);
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().code, ErrorCode::invalid);
  EXPECT_EQ(open()->integer("SELECT count(*) FROM sqlite_master"), 1);
}

TEST_F(SqliteMigratorTest, AFileThatIsNoDatabaseIsAClearError) {
  std::filesystem::copy_file("/proc/self/exe", file_);
  const auto plan = migrator_.apply(Misfits::refuse);
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().code, ErrorCode::unavailable);
  EXPECT_THAT(plan.error().detail, HasSubstr(file_.string()));
}

TEST_F(SqliteMigratorTest, AFolderThatIsNotThereIsAClearError) {
  const SqliteMigrator nowhere{{.file = "/nowhere/at/all/users.db", .clock = &clock_}};
  const auto plan = nowhere.apply(Misfits::refuse);
  ASSERT_FALSE(plan);
  EXPECT_THAT(plan.error().detail, HasSubstr("/nowhere/at/all/users.db"));
}

}  // namespace
}  // namespace um
