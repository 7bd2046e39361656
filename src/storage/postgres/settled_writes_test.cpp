#include "storage/postgres/settled_writes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace um {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Keys = std::vector<std::string>;

BootTime at(std::chrono::milliseconds time) {
  return BootTime{time};
}

TEST(SettledWrites, WhatWasSettledBeforeTheQuestionIsInItsAnswer) {
  SettledWrites writes;
  writes.add(at(1ms), Keys{"a", "b"});
  writes.add(at(3ms), Keys{"c"});
  writes.forget_until(at(2ms));
  EXPECT_THAT(writes.keys(), ElementsAre("c"));
  EXPECT_TRUE(writes.complete_since(at(2ms)));
}

TEST(SettledWrites, WhatWasSettledInTheSameMomentMayBeOnEitherSide) {
  SettledWrites writes;
  writes.add(at(2ms), Keys{"a"});
  writes.forget_until(at(2ms));
  EXPECT_THAT(writes.keys(), ElementsAre("a"));
}

TEST(SettledWrites, TooManyAreNotKeptAndThatIsSaid) {
  SettledWrites writes{2};
  writes.add(at(1ms), Keys{"a", "b"});
  EXPECT_TRUE(writes.complete_since(at(0ms)));
  writes.add(at(2ms), Keys{"c"});
  EXPECT_THAT(writes.keys(), IsEmpty());
  EXPECT_FALSE(writes.complete_since(at(1ms)));
  EXPECT_TRUE(writes.complete_since(at(2ms)));
  writes.add(at(3ms), Keys{"d"});
  EXPECT_THAT(writes.keys(), ElementsAre("d"));
}

}  // namespace
}  // namespace um
