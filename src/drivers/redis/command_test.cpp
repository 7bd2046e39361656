#include "drivers/redis/command.hpp"

#include <gtest/gtest.h>

namespace um::redis {
namespace {

using namespace std::string_view_literals;

TEST(Command, WordsAreAnyBytes) {
  const Command command{"SET", "a b\r\nDEL c"sv, "\0%s"sv};
  EXPECT_EQ(command.bytes(), "*3\r\n$3\r\nSET\r\n$10\r\na b\r\nDEL c\r\n$3\r\n\0%s\r\n"sv);
  EXPECT_EQ((Command{"GET", ""}.bytes()), "*2\r\n$3\r\nGET\r\n$0\r\n\r\n");
}

// The name is what `redis-cli SCRIPT LOAD "return 1"` answers.
TEST(Script, IsNamedByTheSha1OfItsText) {
  EXPECT_EQ(Script{"return 1"}.sha1(), "e0e1f9fabfc9d4800c877a703b823ac0578ff8db");
}

}  // namespace
}  // namespace um::redis
