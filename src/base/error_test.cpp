#include "base/error.hpp"

#include <set>

#include <gtest/gtest.h>

namespace um {
namespace {

TEST(Error, EveryCodeHasItsOwnName) {
  std::set<std::string_view> names;
  constexpr int count = static_cast<int>(ErrorCode::internal) + 1;
  for (int i = 0; i < count; ++i) names.insert(to_string(static_cast<ErrorCode>(i)));
  EXPECT_EQ(names.size(), static_cast<std::size_t>(count));
}

}  // namespace
}  // namespace um
