#include "monitor/key_history.hpp"

#include <algorithm>
#include <random>

#include <gtest/gtest.h>

#include "support/history.hpp"

namespace um {
namespace {

using namespace std::chrono_literals;

constexpr BootTime at(std::chrono::milliseconds time) {
  return BootTime{time};
}
constexpr UserState user(std::int64_t version) {
  return {.life = 1, .version = version};
}
constexpr UserState kRemoved{.life = 2};

struct Strict : ::testing::Test {
  // A read of instance 0 from `begin` to `end`.
  std::optional<KeyHistory::Break> read(std::chrono::milliseconds begin,
                                        std::optional<UserState> returned) {
    return history.end_read(history.begin_read(0, at(begin)), returned, at(begin + 1ms));
  }
  KeyHistory history{0ns};
};
using KeyHistoryTest = Strict;

TEST_F(KeyHistoryTest, AReadOfTheNewestAcknowledgedStateIsKept) {
  history.acknowledge(user(5), 1, at(10ms));
  EXPECT_FALSE(read(20ms, user(5)));
  EXPECT_FALSE(read(30ms, user(6))) << "a write that is not acknowledged yet";
}

TEST_F(KeyHistoryTest, AnOlderStateAfterAnAcknowledgementIsBrokenAndHasAnAge) {
  history.acknowledge(user(5), 1, at(10ms));
  history.acknowledge(user(7), 1, at(20ms));
  history.acknowledge(user(8), 1, at(90ms));
  const auto broken = read(100ms, user(5));
  ASSERT_TRUE(broken);
  EXPECT_EQ(broken->age, 80ms) << "version 7 made version 5 old";
  EXPECT_EQ(broken->known, user(8));
  EXPECT_EQ(broken->returned, user(5));
}

TEST_F(KeyHistoryTest, AReadThatBeganBeforeTheAcknowledgementMayReturnTheOlderState) {
  history.acknowledge(user(5), 1, at(10ms));
  const auto floor = history.begin_read(0, at(20ms));
  history.acknowledge(user(6), 1, at(25ms));
  EXPECT_FALSE(history.end_read(floor, user(5), at(30ms)));
}

TEST_F(KeyHistoryTest, AStateThatAReadReturnedIsKnownToLaterReads) {
  history.acknowledge(user(5), 1, at(10ms));
  EXPECT_FALSE(read(20ms, user(6)));
  const auto broken = read(30ms, user(5));
  ASSERT_TRUE(broken);
  EXPECT_EQ(broken->age, 9ms);
}

TEST_F(KeyHistoryTest, ReadsThatOverlapMayReturnNewAndThenOld) {
  history.acknowledge(user(5), 1, at(10ms));
  const auto one = history.begin_read(0, at(20ms));
  const auto other = history.begin_read(1, at(21ms));
  EXPECT_FALSE(history.end_read(one, user(6), at(22ms)));
  EXPECT_FALSE(history.end_read(other, user(5), at(23ms)));
}

TEST_F(KeyHistoryTest, AUserThatIsThereMustBeFound) {
  EXPECT_FALSE(read(5ms, std::nullopt)) << "nothing is known yet";
  history.acknowledge(user(5), 1, at(10ms));
  const auto broken = read(20ms, std::nullopt);
  ASSERT_TRUE(broken);
  EXPECT_EQ(broken->age, 10ms);
  EXPECT_FALSE(broken->returned);
}

TEST_F(KeyHistoryTest, AUserMayBeAbsentFromTheSendingOfItsRemovalOn) {
  history.acknowledge(user(5), 1, at(10ms));
  history.absence_may_begin(2);
  EXPECT_FALSE(read(20ms, user(5)));
  EXPECT_FALSE(read(30ms, std::nullopt));
  EXPECT_TRUE(read(40ms, user(5))) << "a read has seen the absence";
}

TEST_F(KeyHistoryTest, ARemovedUserMustNotBeFound) {
  history.acknowledge(user(5), 1, at(10ms));
  history.absence_may_begin(2);
  history.acknowledge(kRemoved, 1, at(20ms));
  const auto broken = read(50ms, user(5));
  ASSERT_TRUE(broken);
  EXPECT_EQ(broken->age, 30ms);
  EXPECT_FALSE(read(60ms, std::nullopt));
}

TEST_F(KeyHistoryTest, TheNextUserOfAnAddressFollowsTheAbsence) {
  history.acknowledge(user(5), 1, at(10ms));
  history.absence_may_begin(2);
  history.acknowledge(kRemoved, 1, at(20ms));
  EXPECT_FALSE(read(25ms, UserState{.life = 3, .version = 9})) << "its creation is under way";
  history.acknowledge({.life = 3, .version = 9}, 1, at(30ms));
  EXPECT_TRUE(read(40ms, std::nullopt)) << "the absence is over";
  EXPECT_TRUE(read(50ms, user(5)));
  EXPECT_FALSE(read(60ms, UserState{.life = 3, .version = 9}));
}

TEST_F(KeyHistoryTest, AnAbsenceProvesNothingAboutLaterAbsences) {
  history.acknowledge(user(5), 1, at(10ms));
  history.absence_may_begin(2);
  history.absence_may_begin(4);
  EXPECT_FALSE(read(20ms, std::nullopt)) << "the second absence, or the fourth";
  EXPECT_FALSE(read(30ms, UserState{.life = 3, .version = 9}));
}

TEST_F(KeyHistoryTest, TheNewestStateIsRememberedAfterAnyNumberOfWrites) {
  const auto writes = static_cast<std::int64_t>(4 * KeyHistory::kKnown);
  for (std::int64_t version = 1; version <= writes; ++version)
    history.acknowledge(user(version), 1, at(std::chrono::milliseconds{version}));
  EXPECT_FALSE(read(writes * 2ms, user(writes)));
  EXPECT_TRUE(read(writes * 3ms, user(writes - 1)));
  EXPECT_TRUE(read(writes * 4ms, user(1)));
}

TEST(BoundedKeyHistory, OtherInstancesMayBeLateByTheBound) {
  KeyHistory history{100ms};
  history.acknowledge(user(5), 1, at(10ms));
  history.acknowledge(user(6), 1, at(1000ms));
  const auto read = [&](std::size_t instance, BootTime begin) {
    return history.end_read(history.begin_read(instance, begin), user(5), begin + 1ms);
  };
  EXPECT_FALSE(read(0, at(1100ms)));
  EXPECT_TRUE(read(1, at(1050ms))) << "the instance that wrote answers with its write at once";
  const auto broken = read(0, at(1101ms));
  ASSERT_TRUE(broken);
  EXPECT_EQ(broken->age, 101ms);
}

TEST(BoundedKeyHistory, AnAcknowledgementAfterAReadStillBindsTheWriter) {
  KeyHistory history{100ms};
  history.acknowledge(user(5), 1, at(10ms));
  const auto early = history.begin_read(0, at(20ms));
  EXPECT_FALSE(history.end_read(early, user(6), at(21ms)));
  history.acknowledge(user(6), 1, at(30ms));
  const auto floor = history.begin_read(1, at(40ms));
  EXPECT_TRUE(history.end_read(floor, user(5), at(41ms)));
}

// The history checker of the tests sees everything at once; this one must find the same reads.
struct RandomHistory {
  struct Event {
    BootTime time;
    enum class Kind { ack, begin, end } kind;
    std::size_t operation;
  };
  std::vector<test::Operation> operations{};
  std::vector<Event> events{};
};

RandomHistory make_history(std::uint32_t seed, test::Promise promise) {
  std::minstd_rand random{seed};
  const auto any = [&](int most) {
    return static_cast<int>(random() % static_cast<unsigned>(most));
  };
  RandomHistory made;
  std::int64_t version = 1;
  int time = 0;
  const auto add = [&](test::Operation operation) {
    const std::size_t index = made.operations.size();
    const bool is_read = operation.kind == test::Operation::Kind::read;
    using Kind = RandomHistory::Event::Kind;
    if (is_read) made.events.push_back({operation.begin, Kind::begin, index});
    if (operation.end != test::kNever)
      made.events.push_back({operation.end, is_read ? Kind::end : Kind::ack, index});
    made.operations.push_back(std::move(operation));
  };
  for (int i = 0; i < 40; ++i) {
    const int begin = time + 1 + any(20);
    const int end = begin + 1 + any(20);
    add({.kind = test::Operation::Kind::write,
         .begin = BootTime{std::chrono::microseconds{100 * begin}},
         .end = any(8) == 0 ? test::kNever : BootTime{std::chrono::microseconds{100 * end}},
         .version = ++version,
         .instance = static_cast<std::size_t>(any(3)),
         .promise = promise});
    for (int reads = any(6); reads > 0; --reads) {
      const int from = begin + 1 + any(30);
      const std::int64_t returned = std::max<std::int64_t>(2, version - any(3));
      add({.begin = BootTime{std::chrono::microseconds{100 * from + 1 + any(98)}},
           .end = BootTime{std::chrono::microseconds{100 * (from + 1 + any(10)) + 1 + any(98)}},
           .version = returned,
           .instance = static_cast<std::size_t>(any(3))});
    }
    time = end;
  }
  std::ranges::sort(made.events, {}, &RandomHistory::Event::time);
  return made;
}

std::size_t broken_online(const RandomHistory& made, std::chrono::nanoseconds bound) {
  KeyHistory history{bound};
  std::vector<KeyHistory::Floor> floors(made.operations.size());
  std::size_t broken = 0;
  for (const auto& event : made.events) {
    const test::Operation& operation = made.operations[event.operation];
    using Kind = RandomHistory::Event::Kind;
    if (event.kind == Kind::ack)
      history.acknowledge(user(operation.version), operation.instance, event.time);
    if (event.kind == Kind::begin)
      floors[event.operation] = history.begin_read(operation.instance, event.time);
    if (event.kind == Kind::end &&
        history.end_read(floors[event.operation], user(operation.version), event.time))
      ++broken;
  }
  return broken;
}

std::size_t broken_afterwards(const RandomHistory& made, std::chrono::nanoseconds bound) {
  const test::History history{{.initial = 1, .staleness = bound}, made.operations};
  const auto violations = history.violations();
  return static_cast<std::size_t>(std::ranges::count_if(violations, [](const std::string& line) {
    return line.starts_with("read") && line.find("before it began") != std::string::npos;
  }));
}

TEST(KeyHistoryDifferential, AgreesWithTheHistoryCheckerOfTheTests) {
  std::size_t found = 0;
  for (std::uint32_t seed = 1; seed <= 500; ++seed) {
    const RandomHistory strict = make_history(seed, test::Promise::strict);
    const std::size_t broken = broken_online(strict, 0ns);
    ASSERT_EQ(broken, broken_afterwards(strict, 0ns)) << "seed " << seed;
    const RandomHistory bounded = make_history(seed, test::Promise::bounded_but_own_at_once);
    ASSERT_EQ(broken_online(bounded, 1ms), broken_afterwards(bounded, 1ms)) << "seed " << seed;
    found += broken;
  }
  EXPECT_GT(found, 1'000U);
}

}  // namespace
}  // namespace um
