// Arena: three instances with Redis on a PostgreSQL server with a standby, a gate in front of each
// part, and rounds of faults under clients. Fault: something that goes wrong, and how it ends.
//
// Thread safety: for the owner.
#pragma once

#include <functional>
#include <iosfwd>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "chaos/clients.hpp"
#include "chaos/fleet.hpp"
#include "support/small_disk.hpp"

namespace um::e2e {

class Arena;

struct Fault {
  // Faults of one part exclude each other; faults of `server` and `data` as well.
  enum class Part : std::uint8_t { instance, network, redis, server, data, machine };
  std::string name;
  Part part{};
  // Begins the fault; the result ends it.
  std::function<std::function<void()>(Arena&)> begin;
  std::chrono::milliseconds lasts{900};
};
// For the names of tests.
void PrintTo(const Fault& fault, std::ostream* out);

// By part, in the order in which a run takes them.
std::vector<Fault> instance_faults();
std::vector<Fault> network_faults();
std::vector<Fault> redis_faults();
std::vector<Fault> data_faults();
std::vector<Fault> server_faults();
std::vector<Fault> all_faults();
// Needs Disk::small.
Fault full_disk();

// What one round has shown.
struct Round {
  std::string faults{};
  std::size_t reads = 0;
  std::size_t writes = 0;
  std::size_t hits = 0;
  std::size_t hits_during_writes = 0;
  std::vector<std::string> stale{};  // one sentence for each broken promise
  std::vector<std::string> trouble{};
  Silence silent_reads{};
  Silence silent_writes{};
  std::int64_t backends = 0;  // the most at one time, of all instances
};

// Counters of all instances since their start; those of killed instances are kept.
struct Activity {
  std::map<std::string, double> counters{};
  std::size_t hits_during_writes = 0;     // of the same register
  std::size_t writes_under_snapshot = 0;  // while one snapshot was held open, at most
};

class Arena {
 public:
  struct Options {
    enum class Disk : std::uint8_t { large, small } disk = Disk::large;  // small: and no standby
    std::int64_t bulk_rows = 20'000;                                     // of a change by psql
    std::uint64_t seed = 1;
  };
  explicit Arena(Options options);
  ~Arena();
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  // The faults begin one after the other, and end in the same order. Afterwards everything works
  // again.
  Round run(const std::vector<Fault>& faults);
  const Activity& activity() const { return activity_; }

  // For faults:
  Fleet& fleet() { return *fleet_; }
  Clients& clients() { return *clients_; }
  const Options& options() const { return options_; }
  test::SmallDisk& disk() { return *disk_; }
  test::PostgresServer& server() { return fleet_->postgres(); }
  test::PostgresServer& standby() { return *standby_; }
  // ALTER SYSTEM; empty: RESET. Returns when it is in force.
  void set(const std::string& setting, const std::string& value);
  // The standby becomes the server of the fleet, and gets a standby of its own. What the old one
  // acknowledged after `from` is lost.
  void fail_over();
  // The wall clock of the last instance, relative to the true one; if libfaketime is there.
  bool shift_clock(std::chrono::seconds by);
  // The present value of a counter of Activity.
  double counter(const std::string& title, std::size_t instance);
  // The counters of this instance, which is about to be killed, are kept.
  void keep_counters(std::size_t instance);

 private:
  class BackendCounter;
  void hold_snapshot();
  void note_counters(std::size_t instance);

  const Options options_;
  test::TempDirectory directory_;
  std::unique_ptr<test::SmallDisk> disk_;
  std::unique_ptr<Fleet> fleet_;
  std::unique_ptr<test::PostgresServer> standby_;
  std::unique_ptr<test::TcpGate> watching_gate_;
  std::unique_ptr<BackendCounter> backends_;
  std::unique_ptr<BlockingConnection> snapshot_;
  std::size_t writes_under_snapshot_ = 0;  // the present one
  std::unique_ptr<Clients> clients_;
  std::uint64_t seed_;
  std::vector<std::map<std::string, double>> last_;
  Activity activity_{};
};

}  // namespace um::e2e
