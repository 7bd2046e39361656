#include "auth/tokens/verified_tokens.hpp"

#include <thread>

#include <gtest/gtest.h>

namespace um {
namespace {

using namespace std::chrono_literals;

const WallTime kNow{1'700'000'000s};

TokenSubject subject(std::int64_t user) {
  return {.user = *UserId::from(user),
          .session = *SessionId::parse(std::string(32, 'a')),
          .expires_at = std::chrono::sys_seconds{1'700'000'060s}};
}

VerifiedTokens::Insert entry(std::string_view token, std::int64_t user, WallTime until) {
  return {.digest = digest_token(token), .subject = subject(user), .until = until};
}

// FIPS 180-4, "abc".
TEST(VerifiedTokens, TheDigestIsSha256) {
  const TokenDigest digest = digest_token("abc");
  EXPECT_EQ(digest[0], 0xba);
  EXPECT_EQ(digest[1], 0x78);
  EXPECT_EQ(digest[31], 0xad);
}

TEST(VerifiedTokens, ATokenIsFoundByItsWholeTextOnly) {
  VerifiedTokens tokens{1024};
  tokens.insert(entry("token", 7, kNow + 1min));
  EXPECT_EQ(tokens.find(digest_token("token"), kNow), subject(7));
  EXPECT_EQ(tokens.find(digest_token("tokem"), kNow), std::nullopt);
  EXPECT_EQ(tokens.find(digest_token("token "), kNow), std::nullopt);
  EXPECT_EQ(tokens.stats().hits, 1u);
  EXPECT_EQ(tokens.stats().misses, 2u);
}

TEST(VerifiedTokens, NothingIsFoundAtOrAfterItsExpiry) {
  VerifiedTokens tokens{1024};
  tokens.insert(entry("token", 7, kNow + 1min));
  EXPECT_TRUE(tokens.find(digest_token("token"), kNow + 1min - 1us));
  EXPECT_FALSE(tokens.find(digest_token("token"), kNow + 1min));
}

TEST(VerifiedTokens, ANewGenerationForgetsEverything) {
  VerifiedTokens tokens{1024};
  tokens.insert(entry("token", 7, kNow + 1min));
  tokens.start_generation(1);
  EXPECT_FALSE(tokens.find(digest_token("token"), kNow));
}

TEST(VerifiedTokens, AVerificationWithOlderKeysIsNotAdded) {
  VerifiedTokens tokens{1024};
  auto late = entry("token", 7, kNow + 1min);
  tokens.start_generation(1);
  tokens.insert(late);
  EXPECT_FALSE(tokens.find(digest_token("token"), kNow));
  late.generation = 1;
  tokens.insert(late);
  EXPECT_TRUE(tokens.find(digest_token("token"), kNow));
}

TEST(VerifiedTokens, TheEntryThatExpiresFirstMakesRoom) {
  VerifiedTokens tokens{1};  // one set of four in every shard
  std::vector<std::string> same_shard;
  const auto shard = [](const std::string& t) { return digest_token(t)[0] % 32; };
  for (int i = 0; same_shard.size() < 5; ++i) {
    std::string token = std::to_string(i);
    if (shard(token) == 0) same_shard.push_back(std::move(token));
  }
  const std::chrono::minutes lifetimes[] = {5min, 2min, 9min, 7min, 8min};
  for (std::size_t i = 0; i < 5; ++i) tokens.insert(entry(same_shard[i], 7, kNow + lifetimes[i]));
  EXPECT_FALSE(tokens.find(digest_token(same_shard[1]), kNow));
  for (const std::size_t i : {0u, 2u, 3u, 4u}) {
    EXPECT_TRUE(tokens.find(digest_token(same_shard[i]), kNow)) << i;
  }
}

TEST(VerifiedTokens, ThreadsSeeWholeEntries) {
  VerifiedTokens tokens{64};
  std::atomic<int> wrong{0};
  const auto work = [&](std::int64_t seed) {
    for (std::int64_t i = 0; i < 2000; ++i) {
      const std::int64_t user = 1 + (i * 31 + seed) % 200;
      const std::string token = std::to_string(user);
      if (const auto found = tokens.find(digest_token(token), kNow);
          found && found->user.value() != user) {
        ++wrong;
      }
      tokens.insert(entry(token, user, kNow + 1min));
    }
  };
  {
    const std::jthread a{work, 1};
    const std::jthread b{work, 2};
  }
  EXPECT_EQ(wrong, 0);
  EXPECT_GT(tokens.stats().hits, 0u);
}

}  // namespace
}  // namespace um
