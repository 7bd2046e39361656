// What a run explores: the world, the features of the protocol that matter in it, and one mutation.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "consistency/model/state.hpp"

namespace um::model {

// Every transition has one of these names. A number behind a name begins a part of the protocol
// (the table in protocol.hpp).
enum class Step : Byte {
  time,          // one tick passes everywhere
  lease_lapses,  // a tick that ends a lease with the key in L1
  poll_sent,     // 3
  poll_answered,
  poll_received,
  poll_emptied,  // a flush that sets B later (a mutation)
  poll_applied,  // the one shard
  poll_flushed,  // the same, from nothing
  lease_written,
  lease_denied,      // the poll was sent before the registration was acknowledged
  incarnation_made,  // 2
  reconnected,
  trimmed,  // 3: B moves forward
  mark_taken,
  purged,
  ack_sent,  // 7
  ack_inserted,
  ack_refused,  // no row of the own id
  expelled,
  member_polls,  // an instance without a cache of interest
  join_locked,
  join_inserted,
  join_acknowledged,
  refresh_sent,
  refresh_done,
  refresh_missed,
  refresh_heard,
  lease_ended,  // leaving
  row_deleted,
  reaper_lists,
  reaper_waits,
  reaper_deletes,
  reaper_turned_away,
  session_ends,  // the feed's connection is lost
  planned,       // 6 R
  a_begun,       // A
  a_committed,
  a_acknowledged,
  registry_asked,  // W (a mutation)
  hold_reaped,
  b_begun,  // B
  b_fenced,
  b_locked,
  b_gated,
  gate_epoch,  // the gate raises
  gate_no_hold,
  gate_not_yet,
  gate_not_alone,
  b_updated,
  cas_lost,
  key_not_held,
  commit_alone,
  commit_acknowledged,
  commit_waited,
  commit_bounded,
  answered,
  gave_up,
  connection_lost,
  orphan_commits,
  orphan_aborts,
  delete_waits,
  told_failure,
  hold_gone,
  told_success,
  told_unknown,
  fill_queried,  // 4
  fill_admitted,
  fill_refused,
  fact_stored,
  fact_refused,
  hit,              // 5
  hit_during_hold,  // L1 answers while a hold of the key is in the database
  hit_own_hold,     // memory is passed over because this process writes the key
  l2_hit,
  reader_checks,
  reader_answers,
  reader_too_late,  // its entry was gone
  follower_joins,
  follower_served,
  follower_turned_away,
  primary_read,
  crash,          // 2
  rows_restored,  // a crash after which the unlogged tables have their old rows
  failover,
  migrated,
  process_started,
  instance_stops,  // other times than its own
  foreign_begins,
  foreign_commits,
  out_of_ids,  // the search would need more transaction ids than the model has
  count,
};
constexpr std::size_t kSteps = static_cast<std::size_t>(Step::count);
std::string_view name(Step step);

enum class Mutation : Byte {
  none,
  look_up_before_the_lease_check,
  fills_without_admission,
  naive_single_flight,
  follower_without_a_valid_lease,
  follower_of_an_inadmissible_result,
  writer_waits_less,
  wait_without_epsilon,
  commit_wait_answer_without_a_hold,
  polls_before_it_registers,
  reaper_without_the_self_fence,
  xmin_horizon,
  acknowledged_when_received,
  acknowledgement_of_an_earlier_hold,
  acknowledgement_without_its_snapshot,
  registry_read_before_a_commits,
  alone_without_the_lock,
  acknowledgements_count_in_a_new_namespace,
  lease_from_an_earlier_poll,
  mark_shows_newer_holds_only,
  row_deleted_before_the_lease_ends,
  b_without_the_fence,
  no_former_bound,
  former_bound_of_the_last_change_only,
  no_incarnation,
  refresh_gates_l1_only,
  base_set_after_emptying,
  hold_ids_used_again,
  bounded_write_not_logged,
  flush_forgets_own_writes,
  status_across_a_crash,
  key_outside_the_hold,
  holds_known_by_key,
  join_under_the_former_id,
  // More than section 9 lists.
  lease_before_the_shards,
  lease_from_the_receipt,
  own_keys_not_held,
  own_hold_ends_with_the_answer,
  unknown_outcome_ends_the_hold,
  admission_ignores_the_base,
  b_in_another_namespace,
  gate_ignores_the_epoch,
  quick_reap_at_once,
  purge_without_the_mark,
  count,
};
std::string_view name(Mutation mutation);

struct Label {
  Step step{};
  Byte who = 0;
};

enum class Role : Byte {
  absent,
  full,    // with L1, fills and readers: every step by itself
  member,  // a row of the registry that acknowledges; its polls are one step
};

struct WriterPlan {
  bool used = false;
  int home = -1;                  // the instance that writes; -1: the command line
  Bits<Byte> hold{.word = 1};     // the keys that the plan knows
  Bits<Byte> touches{.word = 1};  // the keys that the update changes
  bool bounded = false;
  bool abandoned = false;  // after A
  bool alone = true;       // the ways that may be tried
  bool acknowledged = true;
  bool waited = true;
};

struct Scenario {
  std::string_view name;
  std::string_view about;
  std::array<Role, kInstances> roles{};
  std::array<bool, kInstances> out{};        // not registered at the beginning
  std::array<bool, kInstances> unstarted{};  // a process that starts later
  std::array<WriterPlan, kWriters> writers{};
  unsigned watched = 0;  // the key of L1, log and readers

  // Times in ticks.
  Byte bound = 1;                    // T
  Byte epsilon = 0;                  // and as much may a lease last longer by the clocks of others
  Byte refresh_bound = 0;            // Y; 0: refreshes always come in time
  Byte reap_after = 0;               // X
  std::array<Byte, 2> new_bounds{};  // what `migrate` sets T to

  // Somebody without a lease reads every version at once: the strongest adversary, and fewer
  // states.
  bool outsider = true;
  // A poll in two steps: sent and answered, received and applied. Sending a poll at the moment of
  // its snapshot makes its lease as long as can be, and so does writing the lease at once.
  bool merged_polls = false;
  // A in one step, and B up to its COMMIT in one step. What another step could see in between is
  // nothing, or a lock behind which it waits; later commits and answers are later first steps.
  bool merged_writes = false;
  bool split_reads = true;  // a process may be stopped between the lease check and the look-up
  bool slow_fills = true;   // else a query and its admission are one step
  bool single_flight = false;
  bool redis = false;
  bool marks = false;
  bool purge = false;
  bool trims = false;
  int joins = -1;     // the instance that may join (anew); -1: none
  Byte most_ids = 3;  // how many it may have in its life
  int leaves = -1;
  int reaped = -1;  // the row that the reaper watches
  bool quick_reap = false;
  bool holds_are_reaped = false;  // of abandoned writes alone, if there are any
  bool commits_lose_connections = false;
  bool xids_used_again = true;  // after a crash
  bool failover = false;        // instead of a crash
  bool rows_restored = false;
  bool foreign_writes = false;
  Byte crashes = 0;
  Byte losses = 0;
  Byte migrations = 0;
  Byte foreign = 0;   // transactions of others
  Byte restarts = 0;  // writes that begin again after their hold was gone

  std::vector<Step> must_happen;  // else the run is no evidence
};

const std::vector<Scenario>& scenarios();
const Scenario& scenario(std::string_view name);

// Where a mutation must be found.
struct MutationCase {
  Mutation mutation;
  std::string_view scenario;
};
const std::vector<MutationCase>& mutations();

}  // namespace um::model
