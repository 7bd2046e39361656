// Scenario: what one simulated run contains. Mutation: a rule of the protocol that the run breaks.
// Evidence: what was at stake in it.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <tuple>

namespace um::sim {

// The database below the instances, and the promise about writes.
enum class Deployment {
  sqlite,            // one instance; hold, commit, settle; foreign commits by data_version
  postgres_bounded,  // commits are followed by polls; the writing instance sees its own at once
  postgres_strict,   // hold, wait, gate (section 6)
};

// Each mutation breaks one rule of the protocol. The simulation has to notice every one.
enum class Mutation {
  none,
  // Reading (sections 3 to 5).
  look_up_before_lease_check,
  fills_without_admission,
  naive_single_flight,
  verdict_before_the_flight_is_closed,
  base_set_after_the_emptying,
  incarnation_kept_over_a_crash,
  poll_below_xmin,
  poll_from_a_mark_shows_only_newer_holds,
  purged_by_number,
  base_behind_the_horizon,
  // Writing (sections 6 and 8).
  commit_without_a_hold,
  own_commit_not_logged,
  foreign_commit_keeps_the_namespace,
  writer_does_not_wait,
  commit_wait_answer_without_a_hold,
  gate_without_the_fence,
  alone_without_the_lock,
  registry_read_before_the_hold,
  fate_across_a_crash,
  new_epoch_ends_processes,
  server_without_a_name,
  // Acknowledgements and the registry (section 7).
  acknowledged_at_receipt,
  acknowledgement_of_an_earlier_hold,
  namespace_just_met_counts,
  lease_before_registration,
  row_deleted_before_the_lease_ends,
  reaped_before_the_lease_ends,
  lease_without_refreshes,
};

struct Scenario {
  Deployment deployment = Deployment::sqlite;
  Mutation mutation = Mutation::none;
  std::uint64_t seed = 1;
  bool foreign_writes = true;
  bool purges = false;
  bool database_faults = false;  // crashes, restarts, failovers, restores, new epochs
  bool process_faults = false;   // stops, kills, clean restarts, broken connections
  bool restless = false;         // many process faults, in two instances
  int steps = 700;
  bool tells = false;  // prints what happens
};

// Counters that must not be 0: otherwise the runs prove nothing.
struct Evidence {
  std::uint64_t reads = 0;
  std::uint64_t hits = 0;
  std::uint64_t hits_during_holds = 0;  // of another write, anywhere
  std::uint64_t l2_hits = 0;
  std::uint64_t followers = 0;
  std::uint64_t turned_away = 0;
  std::uint64_t refused = 0;  // facts
  std::uint64_t held_refusals = 0;
  std::uint64_t local_holds = 0;
  std::uint64_t lapsed_leases = 0;
  std::uint64_t flushes = 0;
  std::uint64_t purged_unseen = 0;
  std::uint64_t bases = 0;

  std::uint64_t writes = 0;
  std::uint64_t alone = 0;
  std::uint64_t acknowledged = 0;
  std::uint64_t waited = 0;
  std::uint64_t not_yet = 0;
  std::uint64_t lost_races = 0;
  std::uint64_t lost_holds = 0;
  std::uint64_t unknown = 0;
  std::uint64_t abandoned = 0;
  std::uint64_t kept_held = 0;  // polls that flushed and kept own keys held

  std::uint64_t joins = 0;
  std::uint64_t expelled = 0;
  std::uint64_t crashes = 0;
  std::uint64_t failovers = 0;
  std::uint64_t restores = 0;
  std::uint64_t kills = 0;

  static constexpr auto table() {
    using E = Evidence;
    using Row = std::pair<std::string_view, std::uint64_t E::*>;
    return std::array{Row{"reads", &E::reads},
                      Row{"hits", &E::hits},
                      Row{"hits_during_holds", &E::hits_during_holds},
                      Row{"l2_hits", &E::l2_hits},
                      Row{"followers", &E::followers},
                      Row{"turned_away", &E::turned_away},
                      Row{"refused", &E::refused},
                      Row{"held_refusals", &E::held_refusals},
                      Row{"local_holds", &E::local_holds},
                      Row{"lapsed_leases", &E::lapsed_leases},
                      Row{"flushes", &E::flushes},
                      Row{"purged_unseen", &E::purged_unseen},
                      Row{"bases", &E::bases},
                      Row{"writes", &E::writes},
                      Row{"alone", &E::alone},
                      Row{"acknowledged", &E::acknowledged},
                      Row{"waited", &E::waited},
                      Row{"not_yet", &E::not_yet},
                      Row{"lost_races", &E::lost_races},
                      Row{"lost_holds", &E::lost_holds},
                      Row{"unknown", &E::unknown},
                      Row{"abandoned", &E::abandoned},
                      Row{"kept_held", &E::kept_held},
                      Row{"joins", &E::joins},
                      Row{"expelled", &E::expelled},
                      Row{"crashes", &E::crashes},
                      Row{"failovers", &E::failovers},
                      Row{"restores", &E::restores},
                      Row{"kills", &E::kills}};
  }
  void add(const Evidence& other) {
    for (const auto& [name, member] : table()) this->*member += other.*member;
  }
};

}  // namespace um::sim
