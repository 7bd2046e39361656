// kill -9 of one of two instances, several times, during writes: acknowledged writes persist, the
// other instance keeps working, and its memory reflects the writes of the killed one.
#include <gtest/gtest.h>

#include "chaos/fleet.hpp"
#include "support/history.hpp"
#include "support/json.hpp"
#include "support/promise.hpp"

namespace um::e2e {
namespace {

using namespace std::chrono_literals;

class InstanceKill : public ::testing::Test {
 protected:
  static constexpr int kRounds = 5;

  // Increments the first name at instance 0 until the instance is killed.
  void write(std::vector<test::Operation>& operations) {
    auto client = fleet_.client(0);
    while (true) {
      test::Operation operation{.kind = test::Operation::Kind::write,
                                .begin = BootClock::now(),
                                .end = test::kNever,
                                .version = ++tried_,
                                .promise = test::Promise::bounded_but_own_at_once};
      const auto patch = fleet_.as("admin", "PATCH /user/<ann>",
                                   R"({"first_name": ")" + std::to_string(tried_) + R"("})");
      try {
        const auto answer = client.send(patch);
        EXPECT_EQ(answer.status, 200U) << answer.text();
        operation.end = BootClock::now();
        ++acknowledged_;
      } catch (const std::runtime_error&) {
        operations.push_back(operation);  // it may have happened
        return;
      }
      operations.push_back(operation);
    }
  }

  void read(const std::stop_token& stop, std::vector<test::Operation>& operations) {
    auto client = fleet_.client(1);
    const auto request = fleet_.as("admin", "GET /user/<ann>");
    while (!stop.stop_requested()) {
      test::Operation operation{.begin = BootClock::now(), .instance = 1};
      const auto answer = client.send(request);
      operation.end = BootClock::now();
      ASSERT_EQ(answer.status, 200U) << answer.text();
      if (is_hit(answer)) ++hits_;
      operation.version = std::stoll(text_at(answer.json(), "/first_name"));
      operations.push_back(operation);
      std::this_thread::sleep_for(500us);
    }
  }

  Fleet fleet_;
  std::int64_t tried_ = 0;
  std::atomic<int> acknowledged_{0};
  std::atomic<int> hits_{0};
};

TEST_F(InstanceKill, TheOthersKnowWhatTheDeadOneHasWritten) {
  fleet_.stage().add(Person{.name = "ann", .first_name = "0"});
  ASSERT_TRUE(fleet_.warm_up(fleet_.as("admin", "GET /user/<ann>")));
  std::vector<test::Operation> writes;
  std::vector<test::Operation> reads;
  {
    std::jthread reader{[&](const std::stop_token& stop) { read(stop, reads); }};
    for (int round = 0; round < kRounds; ++round) {
      const int wanted = acknowledged_ + 3 + 5 * round;
      std::jthread writer{[&] { write(writes); }};
      EXPECT_TRUE(eventually([&] {
        std::this_thread::sleep_for(200us);
        return acknowledged_ >= wanted;
      }));
      fleet_.instance(0).kill();
      writer.join();
      fleet_.instance(0).start();
    }
    // Longer than any instance may be late.
    for (const auto end = BootClock::now() + kT; BootClock::now() < end + 50ms;) {
      std::this_thread::sleep_for(5ms);
    }
  }
  std::vector<test::Operation> history = writes;
  history.insert(history.end(), reads.begin(), reads.end());
  const auto found = test::History{{.staleness = kT}, history}.violations();
  EXPECT_EQ(found.size(), 0U) << test::kBroken << found.front();
  EXPECT_GT(hits_, 100) << "a run without answers from memory is no evidence";
  EXPECT_GE(fleet_.database().session().integer(
                fleet_.stage().fill_in("SELECT first_name::bigint FROM users WHERE id = <ann>")),
            writes[writes.size() - 2].version)
      << test::kBroken;
}

}  // namespace
}  // namespace um::e2e
