#include "config/referenced_file.hpp"

#include <filesystem>
#include <fstream>
#include <sys/stat.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace um {
namespace {

using ::testing::HasSubstr;

class ReferencedFileTest : public ::testing::Test {
 protected:
  ReferencedFileTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "um-file-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp");
    directory_ = pattern;
  }
  ~ReferencedFileTest() override { std::filesystem::remove_all(directory_); }

  std::string write(const std::string& name, const std::string& content) const {
    std::ofstream{directory_ / name, std::ios::binary} << content;
    return directory_ / name;
  }
  static void expect_refused(const std::string& path, const std::string& what) {
    const auto checked = check_referenced_file({.setting = "tls-key", .path = path});
    ASSERT_FALSE(checked);
    EXPECT_EQ(checked.error().code, ErrorCode::invalid);
    EXPECT_THAT(checked.error().detail, HasSubstr("tls-key: " + path));
    EXPECT_THAT(checked.error().detail, HasSubstr(what));
    const auto read = read_referenced_file({.setting = "tls-key", .path = path});
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().detail, checked.error().detail);
  }

  std::filesystem::path directory_;
};

TEST_F(ReferencedFileTest, IsReadWhole) {
  const auto path = write("secret", std::string{"a\0b\n", 4});
  const ReferencedFile file{.setting = "x", .path = path};
  EXPECT_TRUE(check_referenced_file(file));
  EXPECT_EQ(read_referenced_file(file)->reveal(), (std::string_view{"a\0b\n", 4}));
}

TEST_F(ReferencedFileTest, WhatCannotBeReadIsNamedWithItsReason) {
  expect_refused(directory_, "is a directory");
  expect_refused(directory_ / "none", "No such file");
  expect_refused(write("empty", ""), "is empty");
}

TEST_F(ReferencedFileTest, WhatMayNotBeReadIsNamedWithItsReason) {
  const auto path = write("locked", "x");
  ASSERT_EQ(::chmod(path.c_str(), 0), 0);
  if (::geteuid() != 0) return expect_refused(path, "Permission denied");
  constexpr uid_t kNobody = 65534;
  ASSERT_EQ(::chmod(directory_.c_str(), 0755), 0);
  if (::seteuid(kNobody) != 0) GTEST_SKIP() << "SKIPPED: root here cannot become another user";
  expect_refused(path, "Permission denied");
  ASSERT_EQ(::seteuid(0), 0);
}

TEST_F(ReferencedFileTest, ALargeOneIsNotRead) {
  const auto path = write("large", std::string(65 * 1024, 'x'));
  const auto read = read_referenced_file({.setting = "x", .path = path});
  ASSERT_FALSE(read);
  EXPECT_THAT(read.error().detail, HasSubstr("64 KiB"));
}

}  // namespace
}  // namespace um
