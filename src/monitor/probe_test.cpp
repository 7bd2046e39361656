#include "monitor/probe.hpp"

#include <gtest/gtest.h>

namespace um {
namespace {

using namespace std::chrono_literals;
using Kind = Probe::Write::Kind;
using Outcome = WriteResult::Outcome;

class ProbeTest : public ::testing::Test {
 protected:
  BootTime next() { return now_ += 1ms; }
  FoundUser found(std::int64_t id, std::int64_t version) const {
    return {.id = id, .version = version, .email = probe.email()};
  }
  Kind write(Outcome outcome, FoundUser user = {}) {
    const Kind kind = probe.begin_write().kind;
    probe.end_write({.outcome = outcome, .user = std::move(user)}, 0, next());
    return kind;
  }
  Verdict::Kind read(const Probe::KeyRef& key, const FoundOrNone& reading) {
    const auto floor = key->begin_read(1, next());
    return key->end_read(floor, reading, next()).kind;
  }
  // Created with id 7 and version 1; the versions go on from there.
  void live_to_the_end() {
    ASSERT_EQ(write(Outcome::done, found(7, 1)), Kind::create);
    for (int i = 0; i < Probe::kChangesPerLife; ++i)
      ASSERT_EQ(write(Outcome::done, found(7, 2 + i)), Kind::change);
  }

  Probe probe{"probe-0123456789abcdef@monitor.invalid", 0ns};
  BootTime now_{1s};
};

TEST_F(ProbeTest, AnAddressNamesAProbe) {
  EXPECT_TRUE(is_probe_address(make_probe_address()));
  EXPECT_NE(make_probe_address(), make_probe_address());
  for (const char* other :
       {"probe-0123456789abcde@monitor.invalid", "probe-0123456789abcdeF@monitor.invalid",
        "probe-0123456789abcdefx@monitor.invalid", "probe-0123456789abcdef@monitor.invalid.org",
        "xprobe-0123456789abcdef@monitor.invalid", "probe-0123456789abcdeg@monitor.invalid",
        "ann@monitor.invalid", ""})
    EXPECT_FALSE(is_probe_address(other)) << other;
}

TEST_F(ProbeTest, IsCreatedChangedRemovedAndCreatedAgain) {
  live_to_the_end();
  EXPECT_EQ(probe.id(), 7);
  EXPECT_EQ(write(Outcome::done), Kind::remove);
  EXPECT_FALSE(probe.id());
  EXPECT_FALSE(probe.may_exist());
  EXPECT_EQ(write(Outcome::done, found(8, 20)), Kind::create);
  EXPECT_EQ(probe.id(), 8);
  EXPECT_EQ(probe.keys().size(), 3U) << "the address, this id and the one before";
}

TEST_F(ProbeTest, EveryAcknowledgedWriteBindsTheReadsOfBothKeys) {
  live_to_the_end();
  for (const auto& key : probe.keys()) {
    EXPECT_EQ(read(key, found(7, 8)), Verdict::Kind::broken) << key->name();
    EXPECT_EQ(read(key, found(7, 9)), Verdict::Kind::kept) << key->name();
    EXPECT_EQ(read(key, std::nullopt), Verdict::Kind::broken) << key->name();
  }
}

TEST_F(ProbeTest, ARemovalBindsTheReadsOfBothKeysAndACreationThoseOfTheAddress) {
  live_to_the_end();
  write(Outcome::done);
  for (const auto& key : probe.keys()) {
    EXPECT_EQ(read(key, found(7, 9)), Verdict::Kind::broken) << key->name();
    EXPECT_EQ(read(key, std::nullopt), Verdict::Kind::kept) << key->name();
  }
  write(Outcome::done, found(8, 20));
  const auto keys = probe.keys();
  EXPECT_EQ(read(keys[0], std::nullopt), Verdict::Kind::broken);
  EXPECT_EQ(read(keys[0], found(7, 9)), Verdict::Kind::broken);
  EXPECT_EQ(read(keys[0], found(8, 20)), Verdict::Kind::kept);
  EXPECT_EQ(read(keys[1], found(8, 20)), Verdict::Kind::kept) << "user 8";
  EXPECT_EQ(read(keys[2], std::nullopt), Verdict::Kind::kept) << "user 7";
}

TEST_F(ProbeTest, AUserThatIsBeingCreatedMayBeFoundOrNot) {
  probe.begin_write();
  const auto address = probe.keys().front();
  EXPECT_EQ(read(address, std::nullopt), Verdict::Kind::kept);
  EXPECT_EQ(read(address, found(7, 1)), Verdict::Kind::kept);
  EXPECT_EQ(read(address, std::nullopt), Verdict::Kind::broken) << "it was found before";
  probe.end_write({.outcome = Outcome::done, .user = found(7, 1)}, 0, next());
  EXPECT_EQ(probe.id(), 7);
}

TEST_F(ProbeTest, AnotherUserInTheAnswerIsBroken) {
  live_to_the_end();
  const auto keys = probe.keys();
  const FoundUser other{.id = 9, .version = 100, .email = "ann@example.test"};
  EXPECT_EQ(read(keys[0], other), Verdict::Kind::broken);
  EXPECT_EQ(read(keys[1], other), Verdict::Kind::broken);
  EXPECT_EQ(read(keys[0], found(9, 100)), Verdict::Kind::foreign) << "made by another program";
}

TEST_F(ProbeTest, AnUnknownOutcomeOfAChangeIsNoEvidence) {
  write(Outcome::done, found(7, 1));
  EXPECT_EQ(write(Outcome::unknown), Kind::change);
  EXPECT_FALSE(probe.is_retired());
  for (const auto& key : probe.keys()) {
    EXPECT_EQ(read(key, found(7, 1)), Verdict::Kind::kept);
    EXPECT_EQ(read(key, found(7, 2)), Verdict::Kind::kept) << "it was done";
    EXPECT_EQ(read(key, found(7, 1)), Verdict::Kind::broken) << "and seen";
  }
}

TEST_F(ProbeTest, AnUnknownCreationOrRemovalRetiresTheProbe) {
  write(Outcome::unknown);
  EXPECT_TRUE(probe.is_retired());
  EXPECT_TRUE(probe.may_exist());

  Probe other{make_probe_address(), 0ns};
  other.begin_write();
  other.end_write({.outcome = Outcome::done, .user = {.id = 1, .version = 1}}, 0, next());
  for (int i = 0; i < Probe::kChangesPerLife; ++i) {
    other.begin_write();
    other.end_write({.outcome = Outcome::unknown}, 0, next());
  }
  EXPECT_EQ(other.begin_write().kind, Kind::remove);
  other.end_write({.outcome = Outcome::unknown}, 0, next());
  EXPECT_TRUE(other.is_retired());
  EXPECT_TRUE(other.may_exist());
}

TEST_F(ProbeTest, AWriteThatWasRefusedIsTriedAgain) {
  EXPECT_EQ(write(Outcome::not_done), Kind::create);
  EXPECT_FALSE(probe.may_exist());
  EXPECT_EQ(write(Outcome::done, found(7, 1)), Kind::create);
  EXPECT_EQ(write(Outcome::not_done), Kind::change);
  EXPECT_EQ(read(probe.keys().front(), found(7, 1)), Verdict::Kind::kept);
}

TEST_F(ProbeTest, AProbeThatOthersRemovedIsRetired) {
  write(Outcome::done, found(7, 1));
  write(Outcome::gone);
  EXPECT_TRUE(probe.is_retired());
}

}  // namespace
}  // namespace um
