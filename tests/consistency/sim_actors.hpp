// The actors of a run besides readers, strict writers and the instances' own scripts.
#pragma once

#include "consistency/sim_instance.hpp"

namespace um::sim {

// SQLite (section 8). The writer's thread holds the keys of a group, commits, settles, answers; the
// poller compares data_version on the same thread, and a foreign commit changes the namespace.
Script<> write_to_sqlite(Instance& instance);
Script<> poll_sqlite(Instance& instance);
Script<> write_to_sqlite_from_outside(World& world);

// Another program on PostgreSQL, as psql: its transactions may take long.
Script<> write_from_outside(World& world);
// Transactions in other databases of the cluster: they have ids, and stay open.
Script<> work_in_another_database(World& world);
// Marks, and purges of the changes that they see.
Script<> purge(World& world);

// Crashes, clean restarts, failovers, restores and new epochs.
Script<> break_the_database(World& world);
// One process is stopped and resumed, killed, restarted, or its refreshes are refused.
Script<> break_the_process(World& world, std::size_t instance);

}  // namespace um::sim
