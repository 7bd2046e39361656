// The judgement about histories in which commits were lost.
#include "chaos/evidence.hpp"

#include <gtest/gtest.h>

#include "chaos/fleet.hpp"

namespace um::e2e {
namespace {

using namespace std::chrono_literals;
using Kind = test::Operation::Kind;

BootTime at(std::chrono::milliseconds time) {
  return BootTime{time};
}

Seen write(const std::string& key, std::int64_t version, std::chrono::milliseconds begin) {
  return {.operation = {.kind = Kind::write,
                        .key = key,
                        .begin = at(begin),
                        .end = at(begin + 10ms),
                        .version = version}};
}
Seen read(const std::string& key, std::int64_t version, std::chrono::milliseconds begin) {
  return {
      .operation = {.key = key, .begin = at(begin), .end = at(begin + 1ms), .version = version}};
}

// Version 1 survives a failover between 1000 and 2000 ms, and version 2 does not.
class LostCommits : public ::testing::Test {
 protected:
  LostCommits() {
    evidence_.add(write("a", 1, 500ms));
    evidence_.add(write("a", 2, 1500ms));
    evidence_.add(Loss{.from = at(1000ms), .to = at(2000ms), .survived = {{"a", 1}}});
  }
  std::size_t broken() const { return evidence_.violations().size(); }

  Evidence evidence_{{{"a", 0}}};
};

TEST_F(LostCommits, MayBeReadUntilTLater) {
  evidence_.add(read("a", 2, 1600ms));
  evidence_.add(read("a", 2, 2000ms + kT - 1ms));
  evidence_.add(read("a", 1, 2000ms + kT + 1ms));
  EXPECT_EQ(broken(), 0U);
}

TEST_F(LostCommits, AreStaleLaterThanThat) {
  evidence_.add(read("a", 2, 2000ms + kT + 1ms));
  EXPECT_EQ(broken(), 1U);
}

TEST_F(LostCommits, EndNoPromiseAboutWritesBeforeOrAfter) {
  evidence_.add(read("a", 0, 600ms));
  EXPECT_EQ(broken(), 1U);
  evidence_.add(write("a", 3, 3000ms));
  evidence_.add(read("a", 1, 3100ms));
  EXPECT_EQ(broken(), 2U);
}

TEST_F(LostCommits, MayHaveBeenKeptIfNobodyKnows) {
  Evidence unsure{{{"a", 0}}};
  unsure.add(write("a", 2, 1500ms));
  unsure.add(Loss{.from = at(1000ms),
                  .to = at(2000ms),
                  .within = Loss::Within::either,
                  .survived = {{"a", 1}}});
  unsure.add(read("a", 2, 3000ms));
  EXPECT_EQ(unsure.violations().size(), 0U);
}

TEST_F(LostCommits, EndTheRegistersThatDoNotLast) {
  evidence_.add(write("visit", 1, 900ms));
  evidence_.add(read("visit", 2, 1100ms));
  evidence_.add(write("later", 1, 2000ms + kT + 1ms));
  EXPECT_EQ(broken(), 0U);
  evidence_.add(read("later", 0, 2000ms + kT + 100ms));
  EXPECT_EQ(broken(), 1U);
}

TEST(Evidence, KnowsTheHitsDuringAWriteOfTheirRegister) {
  Evidence evidence;
  evidence.add(write("a", 1, 100ms));
  for (const auto begin : {98ms, 103ms, 109ms, 200ms}) {
    auto hit = read("a", 0, begin);
    hit.hit = true;
    evidence.add(hit);
  }
  EXPECT_EQ(evidence.hits_during_writes(), 1U);
}

TEST(Evidence, KnowsTheLongestSilenceOfOneInstanceAndOfAll) {
  Evidence evidence;
  for (const auto time : {0ms, 10ms, 40ms}) evidence.add(Answer{.at = at(time), .instance = 0});
  for (const auto time : {0ms, 35ms}) evidence.add(Answer{.at = at(time), .instance = 1});
  const auto silence = evidence.silence(Kind::read, 2, {.from = at(0ms), .to = at(50ms)});
  EXPECT_EQ(silence.anywhere, 35ms);
  EXPECT_EQ(silence.everywhere, 25ms);
}

}  // namespace
}  // namespace um::e2e
