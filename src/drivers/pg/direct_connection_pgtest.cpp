// A DirectConnection to a real server.
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "drivers/pg/direct_connection.hpp"
#include "support/patience.hpp"
#include "support/postgres_database.hpp"

namespace um::pg {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr Query kListen{.name = "listen", .sql = "listen bell"};
constexpr Query kRing{.name = "ring", .sql = "select pg_notify('bell', $1)"};
constexpr Query kLock{.name = "lock", .sql = "select pg_advisory_lock(1)"};
constexpr Query kOwnPid{.name = "pid", .sql = "select pg_backend_pid()"};

class DirectConnectionPgTest : public ::testing::Test {
 protected:
  DirectConnectionPgTest() {
    EXPECT_TRUE(open());
    EXPECT_TRUE(connection_.run(kListen, {}, patient()));
  }
  Deadline patient() const { return Deadline::after(clock_, e2e::kPatience); }
  Outcome<void> open() {
    return connection_.open({.url = Secret{database_.url()}, .application_name = "direct test"},
                            patient());
  }
  // Until something arrives: a wait may end with a message that is no notification.
  std::vector<Notification> next() {
    std::vector<Notification> all;
    EXPECT_TRUE(e2e::eventually([&] {
      EXPECT_TRUE(connection_.wait(patient()));
      all = connection_.take_notifications();
      return !all.empty();
    }));
    return all;
  }
  void ring(const std::string& payload) { other_.run("select pg_notify('bell', $1)", {payload}); }

  const SystemClock clock_;
  const test::TestDatabase database_{test::TestDatabase::Content::empty};
  BlockingConnection other_ = database_.session();
  Interrupt interrupt_;
  DirectConnection connection_{interrupt_, clock_};
};

TEST_F(DirectConnectionPgTest, ANotifyOfAnotherConnectionEndsTheWait) {
  std::jthread ringer{[this] { ring("one"); }};
  EXPECT_THAT(next(), ElementsAre(Notification{.channel = "bell", .payload = "one"}));
  EXPECT_THAT(connection_.take_notifications(), IsEmpty());
}

TEST_F(DirectConnectionPgTest, WhatArrivedDuringAStatementIsThereAndEndsTheNextWaitAtOnce) {
  ring("one");
  ASSERT_TRUE(connection_.run(kOwnPid, {}, patient()));
  ring("two");
  ASSERT_TRUE(connection_.run(kRing, {"three"}, patient()));
  EXPECT_TRUE(connection_.wait(Deadline::never()));
  std::vector<Notification> all = connection_.take_notifications();
  while (all.size() < 3)
    for (auto& notification : next()) all.push_back(std::move(notification));
  EXPECT_THAT(all, ElementsAre(Notification{.channel = "bell", .payload = "one"},
                               Notification{.channel = "bell", .payload = "two"},
                               Notification{.channel = "bell", .payload = "three"}));
}

TEST_F(DirectConnectionPgTest, AWaitEndsAtItsDeadlineAndTheConnectionIsStillGood) {
  EXPECT_TRUE(connection_.wait(Deadline::after(clock_, 10ms)));
  EXPECT_THAT(connection_.take_notifications(), IsEmpty());
  EXPECT_TRUE(connection_.run(kOwnPid, {}, patient()));
}

TEST_F(DirectConnectionPgTest, AnInterruptEndsTheWait) {
  std::jthread other{[this] { interrupt_.interrupt(); }};
  EXPECT_TRUE(connection_.wait(Deadline::never()));
  EXPECT_TRUE(connection_.is_open());
}

TEST_F(DirectConnectionPgTest, AWaitOnALostConnectionFails) {
  const auto pid = connection_.run(kOwnPid, {}, patient());
  ASSERT_TRUE(pid);
  std::jthread other{
      [&] { database_.admin().run("select pg_terminate_backend($1)", {pid->integer(0, 0)}); }};
  Outcome<void> waited;
  EXPECT_TRUE(e2e::eventually([&] {
    waited = connection_.wait(patient());  // the first may end with the server's last words
    return !waited;
  }));
  ASSERT_FALSE(waited);
  EXPECT_EQ(waited.error().kind, Failure::lost);
  EXPECT_FALSE(connection_.is_open());
  EXPECT_FALSE(connection_.wait(patient()));
  EXPECT_THAT(connection_.take_notifications(), IsEmpty());
}

TEST_F(DirectConnectionPgTest, AStatementThatHangsKeepsItsBackendAndNoOtherIsTaken) {
  const auto backends = [this] {
    return other_.integer(
        "select count(*) from pg_stat_activity where application_name = 'direct test'"
        " and datname = current_database()");
  };
  other_.execute("select pg_advisory_lock(1)");
  const auto locked = connection_.run(kLock, {}, Deadline::after(clock_, 50ms));
  ASSERT_FALSE(locked);
  EXPECT_EQ(locked.error().kind, Failure::timeout);
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(open());
  EXPECT_EQ(backends(), 1);
  other_.execute("select pg_advisory_unlock(1)");
  EXPECT_TRUE(e2e::eventually([&] { return open().has_value(); }));
  EXPECT_TRUE(connection_.run(kOwnPid, {}, patient()));
  EXPECT_TRUE(e2e::eventually([&] { return backends() == 1; }));
}

}  // namespace
}  // namespace um::pg
