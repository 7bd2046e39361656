#include "storage/snapshot.hpp"

#include <gtest/gtest.h>

#include "storage/cache_key.hpp"

namespace um {
namespace {

TEST(Snapshot, SeesWhatIsBelowXmaxAndNotRunning) {
  const Snapshot snapshot{.xmax = 10, .xip = {4, 7}};
  EXPECT_TRUE(snapshot.sees(3));
  EXPECT_FALSE(snapshot.sees(4));
  EXPECT_TRUE(snapshot.sees(9));
  EXPECT_FALSE(snapshot.sees(10));
}

TEST(Snapshot, CoversOneThatSeesNoMore) {
  const Snapshot earlier{.xmax = 10, .xip = {4, 7}};
  EXPECT_TRUE(covers(earlier, earlier));
  EXPECT_TRUE(covers({.xmax = 10, .xip = {7}}, earlier));
  EXPECT_TRUE(covers({.xmax = 12, .xip = {4, 11}}, earlier));
  EXPECT_FALSE(covers({.xmax = 12, .xip = {3}}, earlier));
  EXPECT_FALSE(covers({.xmax = 9}, earlier));
}

TEST(CacheKey, NamesUsersAddressesAndSessions) {
  EXPECT_EQ(CacheKey::of(*UserId::from(42)).view(), "user:42");
  EXPECT_EQ(CacheKey::of(*Email::parse("A@X.org")).view(), "email:a@x.org");
  const std::string sid(32, 'a');
  EXPECT_EQ(CacheKey::of(*SessionId::parse(sid)).str(), "session:" + sid);
}

TEST(CacheKey, TheLongestKeyFits) {
  const std::string address = "a@" + std::string(Email::kMaxBytes - 2, 'x');
  const auto email = Email::parse(address);
  ASSERT_TRUE(email);
  EXPECT_EQ(CacheKey::of(*email).view(), "email:" + address);
  const UserId last = *UserId::from(std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(CacheKey::of(last).view(), "user:9223372036854775807");
}

}  // namespace
}  // namespace um
