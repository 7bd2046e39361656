// The explorer on a puzzle with a known answer: two jugs of 3 and 5 litres, 4 litres are wanted.
#include "consistency/model/explorer.hpp"

#include <gtest/gtest.h>

namespace um::model {
namespace {

struct Jugs {
  std::uint8_t small = 0;
  std::uint8_t large = 0;
};

enum class Move : std::uint8_t {
  fill_small,
  fill_large,
  empty_small,
  empty_large,
  to_large,
  to_small
};

class Puzzle {
 public:
  explicit Puzzle(int wanted) : wanted_{wanted} {}

  static Jugs initial() { return {}; }
  static void successors(const Jugs& jugs, Successors<Jugs, Move>& out) {
    const auto to_large = std::min<int>(jugs.small, 5 - jugs.large);
    const auto to_small = std::min<int>(jugs.large, 3 - jugs.small);
    out.add(jugs, Move::fill_small).small = 3;
    out.add(jugs, Move::fill_large).large = 5;
    out.add(jugs, Move::empty_small).small = 0;
    out.add(jugs, Move::empty_large).large = 0;
    out.add(jugs, Move::to_large) = {.small = static_cast<std::uint8_t>(jugs.small - to_large),
                                     .large = static_cast<std::uint8_t>(jugs.large + to_large)};
    out.add(jugs, Move::to_small) = {.small = static_cast<std::uint8_t>(jugs.small + to_small),
                                     .large = static_cast<std::uint8_t>(jugs.large - to_small)};
  }
  bool violated(const Jugs& jugs) const { return jugs.large == wanted_; }
  void taken(Move) { ++moves_; }
  std::size_t moves() const { return moves_; }

 private:
  int wanted_;
  std::size_t moves_ = 0;
};

TEST(Explorer, VisitsEveryStateOnce) {
  Puzzle puzzle{9};  // there is no such jug
  const auto result = Explorer<Puzzle, Jugs, Move>{puzzle, 1000}.run();
  EXPECT_TRUE(result.complete);
  EXPECT_FALSE(result.violated);
  EXPECT_EQ(result.states, 16U);  // one of the jugs is empty or full
  EXPECT_EQ(result.transitions, 16U * 6);
  EXPECT_EQ(puzzle.moves(), result.transitions);
}

TEST(Explorer, FindsTheShortestTrace) {
  Puzzle puzzle{4};
  const auto result = Explorer<Puzzle, Jugs, Move>{puzzle, 1000}.run();
  ASSERT_TRUE(result.violated);
  ASSERT_EQ(result.trace.size(), 6U);
  EXPECT_EQ(result.trace.front().first, Move::fill_large);
  EXPECT_EQ(result.trace.back().second.large, 4);
}

TEST(Explorer, SaysThatItDidNotVisitEverything) {
  Puzzle puzzle{9};
  const auto result = Explorer<Puzzle, Jugs, Move>{puzzle, 5}.run();
  EXPECT_FALSE(result.complete);
  EXPECT_FALSE(result.violated);
}

}  // namespace
}  // namespace um::model
