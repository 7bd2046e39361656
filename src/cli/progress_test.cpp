#include "cli/progress.hpp"

#include <sstream>

#include <gtest/gtest.h>

namespace um {
namespace {

using namespace std::chrono_literals;

class ProgressTest : public testing::Test {
 protected:
  CliIo make_io(bool terminal) {
    return {.in = in_, .out = out_, .err = err_, .clock = clock_, .err_is_terminal = terminal};
  }
  std::string written() {
    std::string text = err_.str();
    err_.str("");
    return text;
  }
  std::istringstream in_;
  std::ostringstream out_;
  std::ostringstream err_;
  ManualClock clock_;
};

TEST_F(ProgressTest, OnATerminalABarIsDrawnOverItselfAndWiped) {
  CliIo io = make_io(true);
  {
    Progress progress{io, "imported"};
    progress.update({.fraction = 0.01, .users = 1});
    EXPECT_EQ(written(), "");  // too early
    clock_.advance(2s);
    progress.update({.fraction = 0.5, .users = 5000});
    EXPECT_EQ(
        written(),
        "\r\x1b[K[###############...............] 50 %, 5,000 users imported, 2,500/s, 2s left");
    clock_.advance(50ms);
    progress.update({.fraction = 0.6, .users = 6000});
    EXPECT_EQ(written(), "");  // too soon after the last one
  }
  EXPECT_EQ(written(), "\r\x1b[K");
  EXPECT_EQ(out_.str(), "");
}

TEST_F(ProgressTest, ElsewhereALineIsWrittenEveryFewSeconds) {
  CliIo io = make_io(false);
  Progress progress{io, "exported"};
  clock_.advance(4999ms);
  progress.update({.fraction = 0.1, .users = 10});
  EXPECT_EQ(written(), "");
  clock_.advance(1ms);
  progress.update({.fraction = 0.001, .users = 1});
  EXPECT_EQ(written(), "0 %, 1 user exported, 0/s\n");
  clock_.advance(5s);
  progress.update({.fraction = 0.1, .users = 1'000'000});
  EXPECT_EQ(written(), "10 %, 1,000,000 users exported, 100,000/s, 1min30s left\n");
  progress.wipe();
  EXPECT_EQ(written(), "");
}

TEST_F(ProgressTest, AFileThatGrewDoesNotBreakTheBar) {
  CliIo io = make_io(true);
  Progress progress{io, "imported"};
  clock_.advance(1s);
  progress.update({.fraction = 1.7, .users = 1});
  EXPECT_NE(written().find("[##############################] 100 %"), std::string::npos);
}

TEST(Grouped, DigitsAreInThrees) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1000), "1,000");
  EXPECT_EQ(grouped(1'234'567), "1,234,567");
}

}  // namespace
}  // namespace um
