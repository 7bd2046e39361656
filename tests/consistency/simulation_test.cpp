// The protocol keeps its promises in every tried schedule, and the simulation notices broken
// protocols.
#include "consistency/simulation.hpp"

#include <cstdlib>
#include <ostream>
#include <string>

#include <gtest/gtest.h>

#include "support/promise.hpp"

namespace um::sim {
namespace {

// Schedules of each kind; UM_SIMULATION_SEEDS is another number, for a soak.
std::uint64_t seeds() {
  const char* wanted = std::getenv("UM_SIMULATION_SEEDS");
  return wanted == nullptr ? 120 : std::stoull(wanted);
}
// Most mutations are noticed within ten schedules, two need more than a hundred.
constexpr std::uint64_t kSeedsToFindIt = 500;

Evidence expect_no_violation(Scenario scenario) {
  Evidence evidence;
  const std::uint64_t last = seeds();
  for (scenario.seed = 1; scenario.seed <= last; ++scenario.seed) {
    const Report report = run(scenario);
    evidence.add(report.evidence);
    if (!report.violations.empty()) {
      ADD_FAILURE() << test::kBroken << "seed " << scenario.seed << ": "
                    << report.violations.front() << " (and " << report.violations.size() - 1
                    << " more)";
      break;
    }
  }
  return evidence;
}

// A run without hits, holds, lapsed leases and so on is no evidence.
void expect_something_was_at_stake(const Evidence& evidence) {
  EXPECT_GT(evidence.hits, 1000U);
  EXPECT_GT(evidence.holds, 100U);
  EXPECT_GT(evidence.lapsed_leases, 100U);
  EXPECT_GT(evidence.refused, 100U);
  EXPECT_GT(evidence.held_refusals, 10U);
  EXPECT_GT(evidence.followers, 100U);
  EXPECT_GT(evidence.turned_away, 10U);
  EXPECT_GE(evidence.flushes, seeds());
  EXPECT_GT(evidence.writes, 1000U);
  const auto share = [&](std::uint64_t n) { return static_cast<int>(n * 100 / evidence.reads); };
  ::testing::Test::RecordProperty("reads", static_cast<int>(evidence.reads));
  ::testing::Test::RecordProperty("hits_percent", share(evidence.hits));
  ::testing::Test::RecordProperty("turned_away", static_cast<int>(evidence.turned_away));
  EXPECT_GT(share(evidence.hits), 10);
}

TEST(Simulation, SqliteAloneIsLinearizable) {
  expect_something_was_at_stake(
      expect_no_violation({.setup = Setup::sqlite, .foreign_writes = false}));
}

TEST(Simulation, SqliteWithForeignWritersIsLinearizableForItsOwnWritesAndBoundedForTheirs) {
  expect_something_was_at_stake(expect_no_violation({.setup = Setup::sqlite}));
}

TEST(Simulation, PostgresBoundedIsNeverOlderThanTAndItsOwnWritesAreSeenAtOnce) {
  expect_something_was_at_stake(expect_no_violation({.setup = Setup::postgres_bounded}));
}

TEST(Simulation, PostgresBoundedSurvivesCrashesOfTheDatabase) {
  expect_something_was_at_stake(
      expect_no_violation({.setup = Setup::postgres_bounded, .crashes = true}));
}

TEST(Simulation, PostgresPurgesNothingThatSomebodyHasNotSeenAndDoesNotHearOf) {
  for (const bool crashes : {false, true}) {
    const Evidence evidence =
        expect_no_violation({.setup = Setup::postgres_bounded, .crashes = crashes, .purges = true});
    expect_something_was_at_stake(evidence);
    EXPECT_GT(evidence.purged_unseen, 100U);
    EXPECT_GT(evidence.bases, 100U);
  }
}

TEST(Simulation, PostgresStrictIsLinearizable) {
  expect_something_was_at_stake(expect_no_violation({.setup = Setup::postgres_strict}));
}

TEST(Simulation, TheSameSeedGivesTheSameRun) {
  const Scenario scenario{.setup = Setup::postgres_bounded, .seed = 7};
  const auto a = run(scenario).evidence;
  const auto b = run(scenario).evidence;
  EXPECT_EQ(a.reads, b.reads);
  EXPECT_EQ(a.hits, b.hits);
  EXPECT_EQ(a.refused, b.refused);
}

struct MutationCase {
  const char* name;
  Scenario scenario;
};

void PrintTo(const MutationCase& each, std::ostream* out) {
  *out << each.name;
}

class SimulationFinds : public ::testing::TestWithParam<MutationCase> {};

TEST_P(SimulationFinds, TheMutation) {
  Scenario scenario = GetParam().scenario;
  for (scenario.seed = 1; scenario.seed <= kSeedsToFindIt; ++scenario.seed) {
    const Report report = run(scenario);
    if (report.violations.empty()) continue;
    RecordProperty("found_with_seed", static_cast<int>(scenario.seed));
    RecordProperty("violation", report.violations.front());
    // A broken cache returns old values; any other violation would be a mistake of the simulation.
    for (const auto& violation : report.violations)
      EXPECT_NE(violation.find("before it began"), std::string::npos) << violation;
    return;
  }
  FAIL() << "no violation in " << kSeedsToFindIt << " schedules";
}

INSTANTIATE_TEST_SUITE_P(
    All, SimulationFinds,
    ::testing::Values(
        MutationCase{"LookUpBeforeLeaseCheck",
                     {Setup::postgres_strict, Mutation::look_up_before_lease_check}},
        MutationCase{"FillsWithoutAdmission",
                     {Setup::postgres_bounded, Mutation::fills_without_admission}},
        MutationCase{"FillsWithoutAdmissionOnSqlite",
                     {Setup::sqlite, Mutation::fills_without_admission}},
        MutationCase{"NaiveSingleFlight", {Setup::postgres_bounded, Mutation::naive_single_flight}},
        MutationCase{"NaiveSingleFlightOnSqlite", {Setup::sqlite, Mutation::naive_single_flight}},
        MutationCase{"VerdictBeforeTheFlightIsClosed",
                     {Setup::sqlite, Mutation::verdict_before_the_flight_is_closed}},
        MutationCase{"CommitWithoutAHoldOnSqlite",
                     {Setup::sqlite, Mutation::commit_without_a_hold}},
        MutationCase{"OwnCommitNotLogged",
                     {Setup::postgres_bounded, Mutation::own_commit_not_logged}},
        MutationCase{"OwnCommitNotLoggedOnSqlite",
                     {Setup::sqlite, Mutation::own_commit_not_logged}},
        MutationCase{"BaseSetAfterTheEmptying",
                     {Setup::postgres_strict, Mutation::base_set_after_the_emptying}},
        MutationCase{"ForeignCommitKeepsTheNamespace",
                     {Setup::sqlite, Mutation::foreign_commit_keeps_the_namespace}},
        MutationCase{"WriterDoesNotWait", {Setup::postgres_strict, Mutation::writer_does_not_wait}},
        MutationCase{"CommitWaitAnswerWithoutAHold",
                     {Setup::postgres_strict, Mutation::commit_wait_answer_without_a_hold}},
        MutationCase{"IncarnationKeptOverACrash",
                     {.setup = Setup::postgres_bounded,
                      .mutation = Mutation::incarnation_kept_over_a_crash,
                      .crashes = true}},
        MutationCase{"PurgedByNumber",
                     {.setup = Setup::postgres_bounded,
                      .mutation = Mutation::purged_by_number,
                      .purges = true}},
        MutationCase{"BaseBehindTheHorizon",
                     {.setup = Setup::postgres_bounded,
                      .mutation = Mutation::base_behind_the_horizon,
                      .purges = true}},
        MutationCase{"PollBelowXmin", {Setup::postgres_bounded, Mutation::poll_below_xmin}}),
    [](const auto& each) { return std::string{each.param.name}; });

}  // namespace
}  // namespace um::sim
