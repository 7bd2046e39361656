#include "base/counters.hpp"

#include <gtest/gtest.h>

namespace um {
namespace {

template <class Number>
struct SomeNumbers {
  Number opened{};
  std::array<Number, 3> closed{};
  Number waiting{};

  static constexpr auto table() {
    using N = SomeNumbers;
    return std::tuple{count_of(&N::opened, {"opened_total", "Things opened"}),
                      counts_of(&N::closed, {"closed_total", "Things closed, by reason"}, "reason",
                                {"", "late", "lost"}, {"level", "low"}),
                      level_of(&N::waiting, {"waiting", "Things that wait"}, {"queue", "some"})};
  }
};

TEST(Counters, AreReadAsPlainNumbers) {
  SomeNumbers<Counter> counters;
  counters.opened.add();
  counters.opened.add(2);
  counters.closed[1].add();
  counters.waiting.add(5);
  counters.waiting.remove();
  const SomeNumbers<std::uint64_t> stats = read_counters(counters);
  EXPECT_EQ(stats.opened, 3U);
  EXPECT_EQ(stats.closed, (std::array<std::uint64_t, 3>{0, 1, 0}));
  EXPECT_EQ(stats.waiting, 4U);
}

TEST(Counters, OfSeveralLoopsAddUp) {
  std::array<SomeNumbers<Counter>, 2> loops;
  loops[0].opened.add(3);
  loops[1].opened.add(4);
  loops[1].closed[2].add();
  SomeNumbers<std::uint64_t> sum;
  for (const auto& loop : loops) add_counters(loop, sum);
  EXPECT_EQ(sum.opened, 7U);
  EXPECT_EQ(sum.closed[2], 1U);
}

TEST(Counters, APublishedNumberHasTheGivenTheCommonAndItsOwnLabel) {
  const SomeNumbers<std::uint64_t> stats{.opened = 7, .closed = {1, 2, 3}};
  const auto numbers = published(stats, {"pool", "scans"});
  ASSERT_EQ(numbers.size(), 4U);
  EXPECT_EQ(numbers[0].text.name, "opened_total");
  EXPECT_EQ(numbers[0].labels.size(), 1U);
  EXPECT_EQ(numbers[2].value, 3U);
  ASSERT_EQ(numbers[2].labels.size(), 3U);
  EXPECT_EQ(numbers[2].labels[0].value, "scans");
  EXPECT_EQ(numbers[2].labels[1].value, "low");
  EXPECT_EQ(numbers[2].labels[2].value, "lost");
  EXPECT_EQ(numbers[3].kind, MetricKind::gauge);
}

}  // namespace
}  // namespace um
