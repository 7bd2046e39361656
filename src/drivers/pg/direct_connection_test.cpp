#include "drivers/pg/direct_connection.hpp"

#include <thread>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "drivers/pg/testing/fake_server.hpp"
#include "support/patience.hpp"

namespace um::pg {
namespace {

using namespace std::chrono_literals;

constexpr Query kSelectOne{"one", "select 1"};
constexpr Query kHangDirect{"hang", "select hang"};

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

TEST_F(DirectConnectionTest, WithoutAnAnswerTheConnectionStaysAndNoOtherIsOpenedUntilItHasEnded) {
  for (const auto end : {FakeServer::Reaction::answer, FakeServer::Reaction::error,
                         FakeServer::Reaction::close, FakeServer::Reaction::fatal}) {
    FakeServer server;
    server.react_to("select hang", FakeServer::Reaction::wait);
    const auto open_it = [&] {
      return open(fmt::format("127.0.0.1:{}", server.port()), patient());
    };
    ASSERT_TRUE(open_it());
    const auto rows = connection_.run(kHangDirect, {}, Deadline::after(clock_, 20ms));
    ASSERT_FALSE(rows);
    EXPECT_EQ(rows.error().kind, Failure::timeout);
    EXPECT_FALSE(connection_.is_open());
    connection_.close();
    for (int i = 0; i < 3; ++i) {
      const auto opened = open_it();
      ASSERT_FALSE(opened);
      EXPECT_EQ(opened.error().kind, Failure::lost);
      EXPECT_EQ(opened.error().message, "the former connection waits for an overdue answer");
    }
    EXPECT_EQ(server.connections(), 1U);
    EXPECT_EQ(server.open_connections(), 1U);
    server.end_waiting(end);
    EXPECT_TRUE(e2e::eventually([&] { return open_it().has_value(); }));
    EXPECT_TRUE(works());
    EXPECT_EQ(server.connections(), 2U);
    connection_.close();
  }
}

TEST_F(DirectConnectionTest, AnInterruptClosesTheConnectionWithoutAnAnswerToo) {
  server_.react_to("select hang", FakeServer::Reaction::wait);
  ASSERT_TRUE(open(good(), patient()));
  EXPECT_FALSE(connection_.run(kHangDirect, {}, Deadline::after(clock_, 20ms)));
  EXPECT_FALSE(open(good(), patient()));
  interrupt_.interrupt();
  EXPECT_FALSE(open(good(), patient()));
  EXPECT_TRUE(e2e::eventually([&] { return server_.open_connections() == 0; }));
}

TEST_F(DirectConnectionTest, AUrlThatCannotBeReadIsRefusedWithoutBeingQuoted) {
  const auto opened = connection_.open({.url = Secret{"postgresql://um:sesame@[::1"}}, patient());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind, Failure::refused);
  EXPECT_EQ(opened.error().message.find("sesame"), std::string::npos);
}

}  // namespace
}  // namespace um::pg
