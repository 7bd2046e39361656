#include "app/background.hpp"

#include <atomic>
#include <thread>

#include <gtest/gtest.h>

#include "app/event_loops.hpp"

namespace um {
namespace {

using namespace std::chrono_literals;

TEST(Background, AChoreIsDoneAgainAndAgain) {
  EventLoops loops{1};
  std::promise<void> third_time;
  int times = 0;
  Background background{loops.first()};
  background.start({.every = 1ms, .work = [&]() -> Task<void> {
                      if (++times == 3) third_time.set_value();
                      co_return;
                    }});
  EXPECT_EQ(third_time.get_future().wait_for(30s), std::future_status::ready);
  background.stop();
}

TEST(Background, AChoreCanBeWantedBeforeItsTime) {
  EventLoops loops{1};
  std::promise<void> done;
  Background background{loops.first()};
  const auto now = background.start({.every = 24h, .work = [&]() -> Task<void> {
                                       done.set_value();
                                       co_return;
                                     }});
  now();
  EXPECT_EQ(done.get_future().wait_for(30s), std::future_status::ready);
}

TEST(Background, AStopDoesNotWaitForTheNextTime) {
  EventLoops loops{1};
  std::atomic<bool> done{false};
  Background background{loops.first()};
  background.start({.every = 24h, .work = [&]() -> Task<void> {
                      done = true;
                      co_return;
                    }});
  background.stop();
  EXPECT_FALSE(done);
}

}  // namespace
}  // namespace um
