#include "drivers/pg/direct_connection.hpp"

#include <thread>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "drivers/pg/testing/fake_server.hpp"

namespace um::pg {
namespace {

using namespace std::chrono_literals;

constexpr Query kSelectOne{"one", "select 1"};

class DirectConnectionTest : public ::testing::Test {
 protected:
  Deadline patient() const { return Deadline::after(clock_, 10s); }
  static Secret url(const std::string& hosts) {
    return Secret{"postgresql://um:sesame@" + hosts + "/um?sslmode=disable"};
  }
  std::string good(const char* host = "127.0.0.1") const {
    return fmt::format("{}:{}", host, server_.port());
  }
  std::string silent() const { return fmt::format("127.0.0.1:{}", silent_.port()); }
  Outcome<void> open(const std::string& hosts, Deadline deadline) {
    return connection_.open({.url = url(hosts), .application_name = "test"}, deadline);
  }
  bool works() { return connection_.run(kSelectOne, {}, patient()).has_value(); }

  DirectConnectionTest() { silent_.behave({.silent_start = true}); }

  const SystemClock clock_;
  FakeServer server_;
  FakeServer silent_;
  Interrupt interrupt_;
  DirectConnection connection_{interrupt_, clock_};
};

TEST_F(DirectConnectionTest, ANameIsResolved) {
  ASSERT_TRUE(open(good("localhost"), patient()));
  EXPECT_TRUE(works());
}

TEST_F(DirectConnectionTest, AHostThatSaysNothingHasOnlyItsShareOfTheTime) {
  ASSERT_TRUE(open(silent() + "," + good(), Deadline::after(clock_, 1600ms)));
  EXPECT_TRUE(works());
  EXPECT_EQ(silent_.connections(), 1U);
}

TEST_F(DirectConnectionTest, AHostThatIsNotThereIsPassedOver) {
  ASSERT_TRUE(open("no-such-host.invalid:1," + good(), patient()));
  EXPECT_TRUE(works());
}

TEST_F(DirectConnectionTest, WithoutAnAnswerItGivesUpAtTheDeadline) {
  const auto opened = open(silent(), Deadline::after(clock_, 50ms));
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind, Failure::timeout);
  EXPECT_FALSE(connection_.is_open());
}

TEST_F(DirectConnectionTest, AnInterruptEndsTheWaiting) {
  std::jthread other{[this] {
    while (silent_.connections() == 0) std::this_thread::yield();
    interrupt_.interrupt();
  }};
  const auto opened = open(silent() + "," + silent(), Deadline::never());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind, Failure::lost);
}

TEST_F(DirectConnectionTest, AUrlThatCannotBeReadIsRefusedWithoutBeingQuoted) {
  const auto opened = connection_.open({.url = Secret{"postgresql://um:sesame@[::1"}}, patient());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind, Failure::refused);
  EXPECT_EQ(opened.error().message.find("sesame"), std::string::npos);
}

}  // namespace
}  // namespace um::pg
