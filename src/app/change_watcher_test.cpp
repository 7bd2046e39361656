#include "app/change_watcher.hpp"

#include <gtest/gtest.h>

namespace um {
namespace {

class Quiet final : public ChangeListener {
 public:
  void hold(std::span<const std::string>) override {}
  void settle(std::span<const std::string>, std::optional<Xid>) override {}
  void apply(const Poll&) override { ++applied; }
  int applied = 0;
};

class ChangeWatcherTest : public ::testing::Test {
 protected:
  // Whether this poll makes the keys be read again.
  bool told(std::vector<Change> changes, std::optional<std::string_view> flush = std::nullopt) {
    const int before = told_;
    watcher_.apply({.sent_at = {}, .stamp = {}, .changes = changes, .flush_reason = flush});
    return told_ > before;
  }
  Quiet next_;
  int told_ = 0;
  // What was applied stands before whoever looks again.
  ChangeWatcher watcher_{next_, [this] { told_ += next_.applied > 0 ? 1 : 0; }};
};

TEST_F(ChangeWatcherTest, ChangesOfTheKeysAndOfAnythingAreToldOthersAreNot) {
  EXPECT_FALSE(told({}));
  EXPECT_FALSE(told({{.xid = 1, .key = "user:1"}}));
  EXPECT_TRUE(told({{.xid = 1, .key = "user:1"}, {.xid = 2, .key = "signing_keys"}}));
  EXPECT_TRUE(told({{.xid = 1, .key = ""}}));
  EXPECT_TRUE(told({}, "reconnected"));
  EXPECT_EQ(next_.applied, 5);
}

}  // namespace
}  // namespace um
