// The protocol keeps its promises in every simulated history.
//
// A run prints the seed of the first history that breaks the promise. To repeat it, with a line for
// each thing that happens in it:
//
//   UM_SIMULATION_SEED=1234 build/dev/tests/consistency_test --gtest_filter='Simulation.…'
//
// UM_SIMULATION_SEEDS is another number of histories of each kind, for a soak;
// UM_SIMULATION_FIRST_SEED another beginning, UM_SIMULATION_STEPS another length of each history.
#include "consistency/simulation.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "support/effort.hpp"
#include "support/promise.hpp"

namespace um::sim {
namespace {

constexpr std::uint64_t kPart = 40;  // of the histories, without UM_THOROUGH

std::optional<std::uint64_t> number_from(const char* variable) {
  const char* text = std::getenv(variable);
  return text == nullptr ? std::nullopt : std::optional<std::uint64_t>{std::stoull(text)};
}

// Nothing, if only one history was repeated.
std::optional<Evidence> expect_no_violation(Scenario scenario, std::uint64_t histories) {
  const auto only = number_from("UM_SIMULATION_SEED");
  if (!test::is_thorough()) histories /= kPart;
  const std::uint64_t count = only ? 1 : number_from("UM_SIMULATION_SEEDS").value_or(histories);
  const std::uint64_t first = only ? *only : number_from("UM_SIMULATION_FIRST_SEED").value_or(1);
  scenario.tells = only.has_value();
  scenario.steps = static_cast<int>(number_from("UM_SIMULATION_STEPS").value_or(Scenario{}.steps));
  Evidence evidence;
  for (scenario.seed = first; scenario.seed < first + count; ++scenario.seed) {
    const Report report = run(scenario);
    evidence.add(report.evidence);
    if (report.violations.empty()) continue;
    ADD_FAILURE() << test::kBroken << "seed " << scenario.seed << ": " << report.violations.front()
                  << " (and " << report.violations.size() - 1 << " more); repeat it with "
                  << "UM_SIMULATION_SEED=" << scenario.seed;
    break;
  }
  ::testing::Test::RecordProperty("histories", std::to_string(count));
  for (const auto& [name, member] : Evidence::table())
    ::testing::Test::RecordProperty(std::string{name}, std::to_string(evidence.*member));
  return only ? std::nullopt : std::optional{evidence};
}

using Names = std::vector<std::string_view>;

// Runs in which a counter stays at 0 are no evidence.
void expect_something_was_at_stake(const std::optional<Evidence>& evidence,
                                   const Names& besides = {}) {
  if (!evidence) return;
  if (!test::is_thorough()) {  // few histories, and not everything happens in them
    EXPECT_GT(evidence->hits, 0U);
    return;
  }
  for (const auto& [name, member] : Evidence::table()) {
    const bool expected = std::ranges::find(besides, name) == besides.end();
    if (!expected) continue;
    EXPECT_GT((*evidence).*member, 0U) << name;
  }
  EXPECT_GT(evidence->hits * 100 / evidence->reads, 10U) << "per cent of the reads";
}

// Counters that have no meaning everywhere.
constexpr auto kOfPostgres =
    std::to_array<std::string_view>({"l2_hits", "purged_unseen", "bases", "joins", "lost_races"});
constexpr auto kOfForeignWrites = std::to_array<std::string_view>({"flushes"});
constexpr auto kOfStrictWrites = std::to_array<std::string_view>(
    {"hits_during_holds", "alone", "acknowledged", "waited", "not_yet", "lost_holds", "abandoned"});
constexpr auto kOfDatabaseFaults =
    std::to_array<std::string_view>({"crashes", "failovers", "restores"});
constexpr auto kOfFaults = std::to_array<std::string_view>(
    {"unknown", "kept_held", "expelled", "crashes", "failovers", "restores", "kills"});

Names all_of(const auto&... lists) {
  Names names;
  (names.insert(names.end(), lists.begin(), lists.end()), ...);
  return names;
}

TEST(Simulation, SqliteAloneIsLinearizable) {
  expect_something_was_at_stake(
      expect_no_violation({.deployment = Deployment::sqlite, .foreign_writes = false}, 6'000),
      all_of(kOfPostgres, kOfStrictWrites, kOfFaults, kOfForeignWrites));
}

TEST(Simulation, SqliteWithForeignWritersIsLinearizableForItsOwnWritesAndBoundedForTheirs) {
  expect_something_was_at_stake(expect_no_violation({.deployment = Deployment::sqlite}, 6'000),
                                all_of(kOfPostgres, kOfStrictWrites, kOfFaults));
}

TEST(Simulation, PostgresBoundedIsNeverOlderThanTAndItsOwnWritesAreSeenAtOnce) {
  expect_something_was_at_stake(
      expect_no_violation({.deployment = Deployment::postgres_bounded, .purges = true}, 10'000),
      all_of(kOfStrictWrites, kOfFaults));
}

TEST(Simulation, PostgresBoundedKeepsItsPromiseWhenEverythingFails) {
  expect_something_was_at_stake(expect_no_violation({.deployment = Deployment::postgres_bounded,
                                                     .purges = true,
                                                     .database_faults = true,
                                                     .process_faults = true},
                                                    20'000),
                                all_of(kOfStrictWrites));
}

TEST(Simulation, PostgresStrictIsLinearizable) {
  expect_something_was_at_stake(
      expect_no_violation({.deployment = Deployment::postgres_strict, .purges = true}, 10'000),
      all_of(kOfFaults));
}

TEST(Simulation, PostgresStrictIsLinearizableWhenProcessesFail) {
  expect_something_was_at_stake(
      expect_no_violation(
          {.deployment = Deployment::postgres_strict, .purges = true, .process_faults = true},
          20'000),
      all_of(kOfDatabaseFaults));
}

TEST(Simulation, PostgresStrictIsLinearizableWhenEverythingFails) {
  expect_something_was_at_stake(expect_no_violation({.deployment = Deployment::postgres_strict,
                                                     .purges = true,
                                                     .database_faults = true,
                                                     .process_faults = true},
                                                    40'000));
}

TEST(Simulation, TheSameSeedGivesTheSameHistory) {
  const Scenario scenario{.deployment = Deployment::postgres_strict,
                          .seed = 7,
                          .database_faults = true,
                          .process_faults = true};
  const Evidence a = run(scenario).evidence;
  const Evidence b = run(scenario).evidence;
  for (const auto& [name, member] : Evidence::table()) EXPECT_EQ(a.*member, b.*member) << name;
}

}  // namespace
}  // namespace um::sim
