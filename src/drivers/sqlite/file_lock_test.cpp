#include <unistd.h>

#include <gtest/gtest.h>

#include "drivers/sqlite/database_file.hpp"
#include "support/temp_directory.hpp"

namespace um::sqlite {
namespace {

TEST(FileLock, HasOneHolderWhoIsNamed) {
  const test::TempDirectory directory;
  const auto file = directory.path() / "lock";
  {
    const auto first = FileLock::take(file);
    ASSERT_TRUE(first);
    const auto second = FileLock::take(file);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, ErrorCode::conflict);
    EXPECT_NE(second.error().detail.find(std::to_string(::getpid())), std::string::npos);
  }
  EXPECT_TRUE(FileLock::take(file));
}

TEST(FileLock, MovesWithItsOwner) {
  const test::TempDirectory directory;
  const auto file = directory.path() / "lock";
  auto first = FileLock::take(file);
  ASSERT_TRUE(first);
  const FileLock moved{std::move(*first)};
  EXPECT_FALSE(FileLock::take(file));
}

TEST(FileLock, AFolderThatIsNotThereIsAClearError) {
  const auto lock = FileLock::take("/nowhere/at/all/lock");
  ASSERT_FALSE(lock);
  EXPECT_EQ(lock.error().code, ErrorCode::unavailable);
  EXPECT_NE(lock.error().detail.find("/nowhere/at/all/lock"), std::string::npos);
}

}  // namespace
}  // namespace um::sqlite
