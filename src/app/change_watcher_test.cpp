#include "app/change_watcher.hpp"

#include <gtest/gtest.h>

namespace um {
namespace {

class Quiet final : public ChangeListener {
 public:
  void hold(std::span<const std::string>) override {}
  void settle(std::span<const std::string>, std::optional<Xid>) override {}
  Leftovers apply(const Poll&) override {
    ++applied;
    return {};
  }
  int applied = 0;
};

class ChangeWatcherTest : public ::testing::Test {
 protected:
  // Whether this poll makes the keys be read again.
  bool told(std::vector<Change> changes, std::optional<std::string_view> flush = std::nullopt) {
    const int before = told_;
    const BootTime sent_at = time_ += std::chrono::milliseconds{75};
    watcher_.apply({.sent_at = sent_at, .stamp = {}, .changes = changes, .flush_reason = flush});
    EXPECT_EQ(unchanged_ == sent_at, told_ == before);
    return told_ > before;
  }
  Quiet next_;
  int told_ = 0;
  BootTime time_{};
  BootTime unchanged_{};
  ChangeWatcher watcher_{
      next_,
      {.changed = [this] { ++told_; }, .unchanged = [this](BootTime at) { unchanged_ = at; }}};
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
