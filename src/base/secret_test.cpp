#include "base/secret.hpp"

#include <sstream>

#include <gtest/gtest.h>

namespace um {
namespace {

template <class T>
concept Printable = requires(std::ostream& out, const T& value) { out << value; };

TEST(Secret, CannotBePrinted) {
  static_assert(!Printable<Secret>);
  static_assert(!std::is_convertible_v<Secret, std::string>);
  static_assert(!std::is_convertible_v<Secret, std::string_view>);
}

TEST(Secret, ComparesByContent) {
  EXPECT_EQ(Secret{"abc"}, Secret{"abc"});
  EXPECT_FALSE(Secret{"abc"} == Secret{"abd"});
  EXPECT_FALSE(Secret{"abc"} == Secret{"abcd"});
}

TEST(Secret, AMovedFromSecretIsEmpty) {
  Secret from{"a short one"};
  const Secret to{std::move(from)};
  EXPECT_EQ(to.reveal(), "a short one");
  EXPECT_TRUE(from.empty());  // NOLINT(bugprone-use-after-move): that it is empty is the promise
}

}  // namespace
}  // namespace um
