// PostgreSQL ends under load, in every way it can: no acknowledged write is lost, no read is
// answered without a valid lease, and soon after PostgreSQL is back everything works.
#include <csignal>

#include <gtest/gtest.h>

#include "chaos/load.hpp"

namespace um::e2e {
namespace {

using namespace std::chrono_literals;

// Longer than any deadline of a request, shorter than a request that has none.
constexpr auto kLongest = 5s;

class PostgresRestart : public ::testing::Test {
 protected:
  // The server is away from `take_away` until `bring_back`.
  void expect_outage(const std::string& name, const std::function<void()>& take_away,
                     const std::function<void()>& bring_back) {
    SCOPED_TRACE(name);
    Load load{fleet_};
    load.wait_for_writes(25);
    take_away();
    const auto gone = BootClock::now();
    load.wait_until(gone + kT);
    load.wait_for_refused_reads(30);
    const auto returns = BootClock::now();
    bring_back();
    const auto healed = fleet_.time_to_heal("probe");
    EXPECT_LT(healed, kHealed);
    load.wait_for_writes(25);
    load.stop();
    load.expect_kept_promises();
    for (std::size_t i = 0; i < fleet_.size(); ++i) {
      load.expect_silence(i, {.from = gone + kT, .to = returns});
    }
    EXPECT_LT(load.slowest(), kLongest);
    note_figure("healed after " + name, healed);
    note_figure("slowest answer around " + name, load.slowest());
  }

  void SetUp() override { fleet_.stage().add("probe"); }

  Fleet fleet_{{.server = FleetOptions::Server::own}};
};

TEST_F(PostgresRestart, WhateverTheWayItGoes) {
  auto& postgres = fleet_.postgres();
  const auto start = [&] { postgres.start(); };
  expect_outage("a fast stop", [&] { postgres.stop(); }, start);
  expect_outage(
      "an immediate stop", [&] { postgres.stop(test::PostgresServer::Stop::immediate); }, start);
  expect_outage("kill -9 of the postmaster", [&] { postgres.kill_postmaster(); }, start);
  for (std::size_t i = 0; i < fleet_.size(); ++i) {
    EXPECT_EQ(fleet_.instance(i).stop().code, 0) << fleet_.instance(i).process().all();
  }
}

// The postmaster survives, ends all connections and recovers. It assigns the ids of transactions
// that were not on disk again.
TEST_F(PostgresRestart, AKilledBackendTakesTheOthersWithIt) {
  Load load{fleet_};
  std::chrono::milliseconds slowest_healing{0};
  for (int round = 0; round < 3; ++round) {
    load.wait_for_writes(20);
    const auto victim = fleet_.database().admin().integer(
        "SELECT pid FROM pg_stat_activity WHERE application_name = 'user-manager' AND datname = "
        "current_database() AND pid <> pg_backend_pid() ORDER BY random() LIMIT 1");
    fleet_.postgres().kill_backend(static_cast<pid_t>(victim));
    slowest_healing = std::max(slowest_healing, fleet_.time_to_heal("probe"));
  }
  EXPECT_LT(slowest_healing, kHealed);
  load.wait_for_writes(20);
  load.stop();
  load.expect_kept_promises();
  EXPECT_LT(load.slowest(), kLongest);
  EXPECT_GT(load.refused(), 0U) << "nobody noticed";
  for (std::size_t i = 0; i < fleet_.size(); ++i) {
    EXPECT_GE(fleet_.cache_stat(i, "/flushes/reconnected"), 3);
  }
  note_figure("healed after a killed backend", slowest_healing);
  note_figure("slowest answer", load.slowest());
}

// Stale answers are given only if the operator allowed them, and with their age.
class PostgresRestartStale : public ::testing::Test {
 protected:
  Fleet fleet_{{.server = FleetOptions::Server::own, .arguments = {"--stale-if-error", "60s"}}};
};

TEST_F(PostgresRestartStale, OldAnswersAreGivenOnlyAsFarAsTheOperatorAllows) {
  fleet_.stage().add({"ann", "bob"});
  const auto read = fleet_.as("admin", "GET /user/<ann>");
  ASSERT_TRUE(fleet_.warm_up(read));
  fleet_.postgres().stop(test::PostgresServer::Stop::immediate);
  for (std::size_t i = 0; i < fleet_.size(); ++i) {
    auto client = fleet_.client(i);
    std::optional<std::string> age;
    EXPECT_TRUE(eventually([&] {
      const auto answer = client.send(read);
      age = answer.header("Age");
      if (answer.status != 200) ADD_FAILURE() << answer.text();
      return age.has_value() || answer.status != 200;
    }));
    EXPECT_EQ(client.send(fleet_.as("admin", "PATCH /user/<ann>", R"({"last_name": "No"})")).status,
              503U);
  }
  fleet_.postgres().start();
  fleet_.database().session().execute(
      fleet_.stage().fill_in("UPDATE users SET last_name = 'Later' WHERE id = <ann>"));
  EXPECT_LT(fleet_.time_to_heal("bob"), kHealed);
  for (std::size_t i = 0; i < fleet_.size(); ++i) {
    const auto answer = fleet_.client(i).send(read);
    EXPECT_EQ(answer.status, 200U) << answer.text();
    EXPECT_FALSE(answer.header("Age"));
    EXPECT_NE(answer.body.find("Later"), std::string::npos) << answer.text();
  }
}

}  // namespace
}  // namespace um::e2e
