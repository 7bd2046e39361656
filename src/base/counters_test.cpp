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
                                {"", "late", "lost"}),
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

}  // namespace
}  // namespace um
