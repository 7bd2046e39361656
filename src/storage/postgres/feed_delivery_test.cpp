#include "storage/postgres/feed_delivery.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/postgres/rows.hpp"

namespace um {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using Fate = FeedDelivery::WriteEnd::Fate;

// Writes down what it is told.
class ListenerLog final : public ChangeListener {
 public:
  void hold(std::span<const std::string> keys) override { add("hold", keys); }
  void settle(std::span<const std::string> keys, std::optional<Xid> xid) override {
    add(xid ? "settle " + std::to_string(*xid) : "settle", keys);
  }
  Leftovers apply(const Poll&) override {
    told.emplace_back("apply");
    return {};
  }
  void acknowledge_refresh(BootTime) override { told.emplace_back("refreshed"); }
  void end_lease() override { told.emplace_back("end lease"); }

  std::vector<std::string> told;

 private:
  void add(std::string what, std::span<const std::string> keys) {
    for (const auto& key : keys) what += " " + key;
    told.push_back(std::move(what));
  }
};

class FeedDeliveryTest : public ::testing::Test {
 protected:
  static BootTime at(std::chrono::milliseconds time) { return BootTime{time}; }

  FeedDeliveryTest() {
    delivery.start(log);
    steps.connected();
    join("a", 10ms);
    poll("a", 10ms, 20ms);
    log.told.clear();
  }
  void join(const std::string& name_space, std::chrono::milliseconds sent) {
    steps.joined("id", name_space, 0, at(sent));
  }
  void poll(const std::string& name_space, std::chrono::milliseconds sent,
            std::chrono::milliseconds received) {
    PostgresPolls::Answer answer{.sent_at = at(sent),
                                 .name_space = name_space,
                                 .now = {.xmax = ++xmax_},
                                 .since = {.xmax = xmax_}};
    const auto begun = delivery.begin(std::move(answer), {}, at(received));
    if (!begun) return;
    static_cast<void>(delivery.apply(*begun));
    delivery.finish(*begun);
  }
  void committed(Xid xid, const std::string& name_space, std::chrono::milliseconds now) {
    delivery.before_commit(keys);
    delivery.after_commit(keys, {.fate = Fate::committed, .xid = xid, .tau = tau_of(name_space)},
                          at(now));
  }

  const std::vector<std::string> keys{"k"};
  FeedSteps steps{{.new_id = [] { return std::string{"id"}; }}};
  FeedDelivery delivery{steps};
  ListenerLog log;

 private:
  Xid xmax_ = 100;
};

TEST_F(FeedDeliveryTest, AWriteIsHeldAndThenLogged) {
  committed(7, "a", 30ms);
  EXPECT_THAT(log.told, ElementsAre("hold k", "settle 7 k"));
}

// The poll's snapshot may not see it, and the log that has it is thrown away.
TEST_F(FeedDeliveryTest, AWriteThatSettledAfterAPollThatFlushesWasSentStaysHeld) {
  steps.disconnected();
  steps.connected();
  join("a", 40ms);
  committed(7, "a", 60ms);
  log.told.clear();
  poll("a", 50ms, 70ms);
  EXPECT_THAT(log.told, ElementsAre("hold k", "apply", "refreshed"));
  log.told.clear();
  poll("a", 80ms, 90ms);
  EXPECT_THAT(log.told, ElementsAre("apply", "settle k"));
}

TEST_F(FeedDeliveryTest, AWriteOfAnotherNamespaceStaysHeldUntilALaterPoll) {
  committed(7, "b", 30ms);
  EXPECT_THAT(log.told, ElementsAre("hold k"));
  poll("b", 20ms, 40ms);  // sent before the write had ended
  EXPECT_THAT(log.told, ElementsAre("hold k", "end lease", "apply"));
  log.told.clear();
  poll("b", 50ms, 60ms);
  EXPECT_THAT(log.told, ::testing::Contains("settle k"));
}

TEST_F(FeedDeliveryTest, AnUnknownEndKeepsTheKeysHeldUntilALaterPoll) {
  delivery.before_commit(keys);
  delivery.after_commit(keys, {.fate = Fate::unknown}, at(30ms));
  poll("a", 25ms, 40ms);
  EXPECT_THAT(log.told, ElementsAre("hold k", "apply"));
  poll("a", 35ms, 45ms);
  EXPECT_THAT(log.told, ElementsAre("hold k", "apply", "apply", "settle k"));
}

TEST_F(FeedDeliveryTest, AMissingRowEndsTheLease) {
  EXPECT_FALSE(delivery.refreshed(0, 0, at(30ms)));
  EXPECT_THAT(log.told, ElementsAre("end lease"));
  EXPECT_FALSE(steps.registered());
}

TEST_F(FeedDeliveryTest, ARefreshCountsWithThePollAfterIt) {
  EXPECT_TRUE(delivery.refreshed(1, 0, at(30ms)));
  EXPECT_THAT(log.told, ElementsAre());
  poll("a", 40ms, 50ms);
  EXPECT_THAT(log.told, ElementsAre("apply", "refreshed"));
}

}  // namespace
}  // namespace um
