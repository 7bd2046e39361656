#include "app/background.hpp"

#include <atomic>
#include <thread>

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
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
  background.start({.every = 1ms, .work = [&]() -> Task<bool> {
                      if (++times == 3) third_time.set_value();
                      co_return false;
                    }});
  EXPECT_EQ(third_time.get_future().wait_for(30s), std::future_status::ready);
  background.stop();
}

TEST(Background, AChoreThatHasMoreToDoIsDoneAgainAtOnceUntilTheStop) {
  EventLoops loops{1};
  std::promise<void> third_time;
  int times = 0;
  Background background{loops.first()};
  const auto now = background.start({.every = 24h, .work = [&]() -> Task<bool> {
                                       if (++times == 3) third_time.set_value();
                                       co_await boost::asio::post(boost::asio::use_awaitable);
                                       co_return true;
                                     }});
  now();
  EXPECT_EQ(third_time.get_future().wait_for(30s), std::future_status::ready);
  background.stop();
}

TEST(Background, AChoreCanBeWantedBeforeItsTime) {
  EventLoops loops{1};
  std::promise<void> done;
  Background background{loops.first()};
  const auto now = background.start({.every = 24h, .work = [&]() -> Task<bool> {
                                       done.set_value();
                                       co_return false;
                                     }});
  now();
  EXPECT_EQ(done.get_future().wait_for(30s), std::future_status::ready);
}

TEST(Background, AStopDoesNotWaitForTheNextTime) {
  EventLoops loops{1};
  std::atomic<bool> done{false};
  Background background{loops.first()};
  background.start({.every = 24h, .work = [&]() -> Task<bool> {
                      done = true;
                      co_return false;
                    }});
  background.stop();
  EXPECT_FALSE(done);
}

}  // namespace
}  // namespace um
