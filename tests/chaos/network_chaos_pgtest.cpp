// The network between one instance and PostgreSQL fails, or the instance itself is stopped, while
// another instance keeps working.
#include <csignal>

#include <gtest/gtest.h>

#include "chaos/load.hpp"
#include "support/json.hpp"
#include "support/promise.hpp"

namespace um::e2e {
namespace {

using namespace std::chrono_literals;

// The limit for a request that waits for the database twice, on a busy machine.
constexpr auto kInTime = 4s;

class NetworkChaos : public ::testing::Test {
 protected:
  void SetUp() override { fleet_.stage().add("probe"); }

  Fleet fleet_{
      {.network = FleetOptions::Network::first_gated, .arguments = {"--database-timeout", "1s"}}};
};

TEST_F(NetworkChaos, ConnectionsAreCutInTheMiddleOfAnswers) {
  Load load{fleet_};
  for (const std::size_t bytes : {1U, 4U, 17U, 60U, 150U, 400U, 1000U, 4000U}) {
    fleet_.gate().cut_after(bytes);
    load.wait_for_writes(8);
  }
  // The server executes what was sent, but its answers are lost.
  for (int round = 0; round < 8; ++round) {
    fleet_.gate().swallow_answers();
    load.wait_for_writes(4);
  }
  const auto healed = fleet_.time_to_heal("probe");
  load.wait_for_writes(10);
  load.stop();
  load.expect_kept_promises();
  EXPECT_LT(load.slowest(), kInTime);
  EXPECT_GT(fleet_.cache_stat(0, "/flushes/reconnected"), 4) << "nobody noticed";
  note_figure("healed after cut connections", healed);
  note_figure("slowest answer", load.slowest());
}

TEST_F(NetworkChaos, ABlackHole) {
  Load load{fleet_};
  load.wait_for_writes(15);
  fleet_.gate().black_hole();
  const auto begun = BootClock::now();
  load.wait_until(begun + 2500ms);
  const auto ended = BootClock::now();
  fleet_.gate().let_through();
  const auto healed = fleet_.time_to_heal("probe");
  EXPECT_LT(healed, kHealed);
  load.wait_for_writes(15);
  load.stop();
  load.expect_kept_promises();
  load.expect_silence(0, {.from = begun + kT, .to = ended - kInTime / 4});
  EXPECT_LT(load.slowest(), kInTime);
  note_figure("healed after a black hole", healed);
  note_figure("slowest answer", load.slowest());
}

TEST(StoppedInstance, AnswersNothingFromBefore) {
  Fleet fleet;
  fleet.stage().add("ann");
  const auto read = fleet.as("admin", "GET /user/<ann>");
  HttpConnection asking{fleet.instance(1).endpoint()};
  auto writer = fleet.client(0);
  for (int round = 1; round <= 3; ++round) {
    ASSERT_TRUE(fleet.warm_up(read));
    EXPECT_TRUE(is_hit(asking.exchange(read)));
    fleet.instance(1).process().send_signal(SIGSTOP);
    const auto name = "Stopped " + std::to_string(round);
    const auto patch = fleet.as("admin", "PATCH /user/<ann>", R"({"first_name": ")" + name + "\"}");
    EXPECT_EQ(writer.send(patch).status, 200U);
    const auto acknowledged = BootClock::now();
    while (BootClock::now() <= acknowledged + kT) EXPECT_EQ(writer.send(read).status, 200U);
    asking.write(read.text());  // waits in the socket's buffer
    fleet.instance(1).process().send_signal(SIGCONT);
    const auto answer = asking.read_response();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 200U) << answer->text();
    EXPECT_EQ(text_at(answer->json(), "/first_name"), name) << test::kBroken << answer->text();
  }
}

}  // namespace
}  // namespace um::e2e
