// Faults of the PostgreSQL server, its standby and its disk.
#include <csignal>
#include <sstream>

#include "chaos/arena.hpp"
#include "support/small_disk.hpp"

namespace um::e2e {
namespace {

using namespace std::chrono_literals;
using Part = Fault::Part;
using Undo = std::function<void()>;

// At least one; a busy instance may need a moment to connect again.
std::vector<pid_t> backends(Arena& arena, const std::string& condition) {
  auto session = arena.fleet().database().admin();
  std::vector<pid_t> all;
  const bool found = eventually([&] {
    std::istringstream words{session.text(
        "SELECT coalesce(string_agg(pid::text, ' ' ORDER BY pid), '') FROM pg_stat_activity WHERE"
        " datname = current_database() AND usename = 'um_owner' AND " +
        condition)};
    for (pid_t pid = 0; words >> pid;) all.push_back(pid);
    return !all.empty();
  });
  if (!found) throw std::runtime_error("no backend with " + condition);
  return all;
}

// The polls of all instances get no answer.
Undo stop_feeds(Arena& arena) {
  const auto feeds = backends(arena, "application_name = 'user-manager feed'");
  for (const pid_t pid : feeds) ::kill(pid, SIGSTOP);
  return [feeds] {
    for (const pid_t pid : feeds) ::kill(pid, SIGCONT);
  };
}

Undo restart(Arena& arena) {
  arena.server().stop();
  return [&arena] { arena.server().start(); };
}
Undo stop_at_once(Arena& arena) {
  arena.server().stop(test::PostgresServer::Stop::immediate);
  return [&arena] { arena.server().start(); };
}
Undo kill_the_server(Arena& arena) {
  arena.server().kill_postmaster();
  return [&arena] { arena.server().start(); };
}

// The others are ended by the postmaster, which recovers. Transaction ids are handed out again.
Undo kill_a_backend(Arena& arena) {
  arena.server().kill_backend(backends(arena, "application_name = 'user-manager'").front());
  return [] {};
}

Undo fail_over(Arena& arena) {
  arena.fail_over();
  return [] {};
}

// Commits hang. What they answer at the end is unknown, or done.
Undo lose_the_standby(Arena& arena) {
  auto session = arena.fleet().database().admin();
  arena.set("synchronous_standby_names", "*");
  EXPECT_TRUE(eventually([&] {
    return session.integer("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'") >
           0;
  }));
  arena.standby().stop(test::PostgresServer::Stop::immediate);
  return [&arena] {
    arena.standby().start();
    arena.set("synchronous_standby_names", "");
  };
}

Undo fill_the_disk(Arena& arena) {
  arena.disk().fill();
  return [&arena] { arena.disk().empty(); };
}

}  // namespace

std::vector<Fault> server_faults() {
  return {
      {"the backends of all feeds are stopped (SIGSTOP)", Part::server, stop_feeds, 900ms},
      {"the standby is gone, and commits hang", Part::server, lose_the_standby, 3000ms},
      {"PostgreSQL is restarted", Part::server, restart, 600ms},
      {"PostgreSQL is stopped at once", Part::server, stop_at_once},
      {"the postmaster is killed", Part::server, kill_the_server, 600ms},
      {"a backend is killed", Part::server, kill_a_backend},
      {"a failover loses commits", Part::server, fail_over},
  };
}

Fault full_disk() {
  return {"the disk of PostgreSQL is full", Part::server, fill_the_disk, 2500ms};
}

std::vector<Fault> all_faults() {
  std::vector<Fault> all;
  for (const auto& part :
       {instance_faults(), network_faults(), redis_faults(), data_faults(), server_faults()}) {
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

}  // namespace um::e2e
