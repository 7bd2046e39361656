#include "auth/attempts/failure_window.hpp"

#include <deque>
#include <random>

#include <gtest/gtest.h>

namespace um {
namespace {

using namespace std::chrono_literals;

const BootTime kStart{100h};
const FailureWindow::Limit kTen{.failures = 10};

TEST(FailureWindow, AFailureCountsForTheWindowAndAtMostOneStepLonger) {
  FailureWindow window{{.cells_per_row = 64, .key = SipKey::random()}};
  const auto name = window.name("alice");
  window.add_failure(name, kStart + 30s);
  EXPECT_EQ(window.count(name, kStart + 30s).failures, 1u);
  EXPECT_EQ(window.count(name, kStart + 30s + 15min).failures, 1u);
  EXPECT_EQ(window.count(name, kStart + 30s + 16min).failures, 0u);
}

TEST(FailureWindow, WhatIsUnderWayIsCountedApart) {
  FailureWindow window{{.cells_per_row = 64, .key = SipKey::random()}};
  const auto name = window.name("alice");
  window.begin(name);
  window.begin(name);
  window.add_failure(name, kStart);
  EXPECT_EQ(window.count(name, kStart).failures, 1u);
  EXPECT_EQ(window.count(name, kStart).total, 3u);
  window.end(name);
  window.end(name);
  EXPECT_EQ(window.count(name, kStart).total, 1u);
}

TEST(FailureWindow, TheTimeToWaitIsAtMostTheWindowAndOneStep) {
  for (const auto offset : {0s, 1s, 17s, 59s, 60s}) {
    FailureWindow window{{.cells_per_row = 64, .key = SipKey::random()}};
    const auto name = window.name("alice");
    const BootTime now = kStart + offset;
    for (int i = 0; i < 100; ++i) window.add_failure(name, now);
    EXPECT_GE(window.until_below(name, kTen, now), 15min);
    EXPECT_LE(window.until_below(name, kTen, now), 16min);
  }
}

TEST(FailureWindow, TheTimeToWaitIsExactlyWhenTheCountIsBelowTheLimit) {
  FailureWindow window{{.cells_per_row = 64, .key = SipKey::random()}};
  const auto name = window.name("alice");
  BootTime now = kStart;
  for (int i = 0; i < 10; ++i) {
    window.add_failure(name, now);
    now += 40s;
  }
  const auto wait = window.until_below(name, kTen, now);
  EXPECT_GT(wait, 0s);
  EXPECT_LE(wait, 16min);
  EXPECT_EQ(window.count(name, now + wait - 1ns).failures, 10u);
  EXPECT_LT(window.count(name, now + wait).failures, 10u);
  EXPECT_EQ(window.until_below(name, kTen, now + wait), 0s);
}

TEST(FailureWindow, ALongSilenceForgetsEverything) {
  FailureWindow window{{.cells_per_row = 64, .key = SipKey::random()}};
  const auto name = window.name("alice");
  window.add_failure(name, kStart);
  EXPECT_EQ(window.count(name, kStart + 24h * 365 * 50).failures, 0u);
}

// Against a list of every failure: never below the truth within the window, whatever is shared.
TEST(FailureWindow, ACountIsNeverBelowTheTruth) {
  FailureWindow window{{.cells_per_row = 16, .key = {.k0 = 1, .k1 = 2}}};
  std::mt19937 random{7};
  std::vector<std::deque<BootTime>> truth(200);
  BootTime now = kStart;
  std::uint64_t above = 0;
  for (int i = 0; i < 20'000; ++i) {
    now += std::chrono::milliseconds{random() % 4000};
    const std::size_t who = random() % truth.size();
    const auto name = window.name(std::to_string(who));
    auto& failures = truth[who];
    while (!failures.empty() && failures.front() <= now - 15min) failures.pop_front();
    const auto counted = window.count(name, now).failures;
    ASSERT_GE(counted, failures.size());
    if (counted > failures.size()) ++above;
    if (random() % 2 == 0) {
      window.add_failure(name, now);
      failures.push_back(now);
    }
  }
  EXPECT_GT(above, 0u) << "nothing was shared, so nothing was shown";
}

TEST(FailureWindow, NamesThatShareNothingDoNotHinderEachOther) {
  FailureWindow window{{.cells_per_row = 32768, .key = {.k0 = 1, .k1 = 2}}};
  for (int i = 0; i < 5000; ++i) {
    const auto name = window.name("attacked-" + std::to_string(i));
    for (int n = 0; n < 10; ++n) window.add_failure(name, kStart);
  }
  int hindered = 0;
  for (int i = 0; i < 5000; ++i) {
    const auto name = window.name("innocent-" + std::to_string(i));
    if (window.count(name, kStart).failures >= 10) ++hindered;
  }
  EXPECT_LE(hindered, 10) << "of 5,000, with 5,000 others at their limit";
}

TEST(FailureWindow, CountersStopInsteadOfOverflowing) {
  FailureWindow window{{.cells_per_row = 1, .key = {}}};
  const auto name = window.name("x");
  for (int i = 0; i < 70'000; ++i) window.add_failure(name, kStart);
  EXPECT_EQ(window.count(name, kStart).failures, 65'535u);
}

}  // namespace
}  // namespace um
