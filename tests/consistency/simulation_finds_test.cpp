// A simulation that finds nothing proves nothing, so it has to find each broken rule.
#include <iostream>
#include <ostream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "consistency/simulation.hpp"

namespace um::sim {
namespace {

constexpr std::uint64_t kHistoriesToFindIt = 20'000;

enum class With { plain, purges, processes, restless, database, all };

struct Case {
  const char* name;
  Mutation mutation;
  Deployment deployment;
  With with;
  struct Where {
    std::uint64_t seed = 1;  // one that was found to show it; others are tried if it no longer does
    int steps = Scenario{}.steps;  // longer ones where the fault needs time to show
  } where{};
};

void PrintTo(const Case& each, std::ostream* out) {
  *out << each.name;
}

Scenario scenario_of(const Case& each) {
  const bool all = each.with == With::all;
  return {.deployment = each.deployment,
          .mutation = each.mutation,
          .seed = each.where.seed,
          .purges = all || each.with == With::purges || each.with == With::processes,
          .database_faults = all || each.with == With::database,
          .process_faults = all || each.with == With::processes || each.with == With::restless,
          .restless = each.with == With::restless,
          .steps = each.where.steps};
}

class SimulationFinds : public ::testing::TestWithParam<Case> {};

TEST_P(SimulationFinds, TheMutation) {
  Scenario scenario = scenario_of(GetParam());
  for (std::uint64_t next = 1; next <= kHistoriesToFindIt; scenario.seed = next++) {
    const Report report = run(scenario);
    if (report.violations.empty()) continue;
    RecordProperty("found_with_seed", static_cast<int>(scenario.seed));
    RecordProperty("violation", report.violations.front());
    std::cout << "found with seed " << scenario.seed << ": " << report.violations.front() << "\n";
    return;
  }
  FAIL() << "no violation in " << kHistoriesToFindIt << " histories";
}

std::vector<Case> cases() {
  std::vector<Case> all{
      Case{"LookUpBeforeLeaseCheck", Mutation::look_up_before_lease_check,
           Deployment::postgres_strict, With::plain},
      Case{"FillsWithoutAdmission", Mutation::fills_without_admission, Deployment::postgres_bounded,
           With::plain},
      Case{"NaiveSingleFlight", Mutation::naive_single_flight, Deployment::postgres_bounded,
           With::plain},
      Case{"VerdictBeforeTheFlightIsClosed", Mutation::verdict_before_the_flight_is_closed,
           Deployment::sqlite, With::plain},
      Case{"BaseSetAfterTheEmptying", Mutation::base_set_after_the_emptying,
           Deployment::postgres_strict, With::processes},
      Case{"IncarnationKeptOverACrash", Mutation::incarnation_kept_over_a_crash,
           Deployment::postgres_bounded, With::database},
      Case{"PollBelowXmin", Mutation::poll_below_xmin, Deployment::postgres_bounded, With::plain},
      Case{"PollFromAMarkShowsOnlyNewerHolds", Mutation::poll_from_a_mark_shows_only_newer_holds,
           Deployment::postgres_strict, With::processes},
      Case{"PurgedByNumber",
           Mutation::purged_by_number,
           Deployment::postgres_bounded,
           With::purges,
           {.seed = 9236, .steps = 2500}},
      Case{"BaseBehindTheHorizon",
           Mutation::base_behind_the_horizon,
           Deployment::postgres_bounded,
           With::all,
           {.seed = 870, .steps = 2500}},
      Case{"CommitWithoutAHold", Mutation::commit_without_a_hold, Deployment::sqlite, With::plain},
      Case{"OwnCommitNotLogged", Mutation::own_commit_not_logged, Deployment::postgres_bounded,
           With::plain},
      Case{"ForeignCommitKeepsTheNamespace", Mutation::foreign_commit_keeps_the_namespace,
           Deployment::sqlite, With::plain},
      Case{"WriterDoesNotWait", Mutation::writer_does_not_wait, Deployment::postgres_strict,
           With::plain},
      Case{"CommitWaitAnswerWithoutAHold", Mutation::commit_wait_answer_without_a_hold,
           Deployment::postgres_strict, With::plain},
      Case{"GateWithoutTheFence",
           Mutation::gate_without_the_fence,
           Deployment::postgres_strict,
           With::processes,
           {.seed = 1544}},
      Case{"AloneWithoutTheLock",
           Mutation::alone_without_the_lock,
           Deployment::postgres_strict,
           With::restless,
           {.seed = 974, .steps = 1500}},
      Case{"RegistryReadBeforeTheHold",
           Mutation::registry_read_before_the_hold,
           Deployment::postgres_strict,
           With::purges,
           {.seed = 3855}},
      Case{"FateAcrossACrash", Mutation::fate_across_a_crash, Deployment::postgres_bounded,
           With::all},
      Case{"NewEpochEndsProcesses",
           Mutation::new_epoch_ends_processes,
           Deployment::postgres_bounded,
           With::all,
           {.seed = 1728, .steps = 2500}},
      Case{"ServerWithoutAName",
           Mutation::server_without_a_name,
           Deployment::postgres_bounded,
           With::all,
           {.seed = 2884, .steps = 2500}},
      Case{"AcknowledgedAtReceipt", Mutation::acknowledged_at_receipt, Deployment::postgres_strict,
           With::plain},
      Case{"AcknowledgementOfAnEarlierHold", Mutation::acknowledgement_of_an_earlier_hold,
           Deployment::postgres_strict, With::plain},
      Case{"NamespaceJustMetCounts",
           Mutation::namespace_just_met_counts,
           Deployment::postgres_strict,
           With::all,
           {.seed = 14246}},
      Case{"LeaseBeforeRegistration", Mutation::lease_before_registration,
           Deployment::postgres_strict, With::processes},
      Case{"RowDeletedBeforeTheLeaseEnds",
           Mutation::row_deleted_before_the_lease_ends,
           Deployment::postgres_strict,
           With::processes,
           {.seed = 2105}},
      Case{"ReapedBeforeTheLeaseEnds",
           Mutation::reaped_before_the_lease_ends,
           Deployment::postgres_strict,
           With::processes,
           {.seed = 2589}},
      Case{"LeaseWithoutRefreshes",
           Mutation::lease_without_refreshes,
           Deployment::postgres_strict,
           With::restless,
           {.seed = 1079, .steps = 1500}},
      Case{"FillsWithoutAdmissionOnSqlite", Mutation::fills_without_admission, Deployment::sqlite,
           With::plain},
      Case{"NaiveSingleFlightOnSqlite", Mutation::naive_single_flight, Deployment::sqlite,
           With::plain},
      Case{"OwnCommitNotLoggedOnSqlite", Mutation::own_commit_not_logged, Deployment::sqlite,
           With::plain}};
  return all;
}

INSTANTIATE_TEST_SUITE_P(All, SimulationFinds, ::testing::ValuesIn(cases()),
                         [](const auto& each) { return std::string{each.param.name}; });

}  // namespace
}  // namespace um::sim
