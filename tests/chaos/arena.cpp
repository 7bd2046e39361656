#include "chaos/arena.hpp"

#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <ostream>
#include <sstream>

#include "support/small_disk.hpp"

namespace um::e2e {
namespace {

using namespace std::chrono_literals;
using Kind = test::Operation::Kind;

constexpr const char* kFakeTime = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1";

struct Counter {
  const char* title;
  const char* name;
  const char* label;  // a part of the line; empty: all lines of the name are added up
};
constexpr Counter kCounters[] = {
    {"leases lapsed", "user_manager_lease_lapses_total", ""},
    {"facts refused by memory", "user_manager_cache_refusals_total", ""},
    {"facts of Redis refused", "user_manager_l2_facts_refused_total", ""},
    {"followers turned away", "user_manager_single_flight_total", "role=\"turned_away\""},
    {"gates that said not yet", "user_manager_strict_write_gates_not_yet_total", ""},
    {"strict writes, alone", "user_manager_strict_writes_total", "way=\"alone\""},
    {"strict writes, acknowledged", "user_manager_strict_writes_total", "way=\"acknowledged\""},
    {"strict writes, waited", "user_manager_strict_writes_total", "way=\"waited\""},
    {"outcomes unknown", "user_manager_strict_write_unknown_outcomes_total", ""},
};

std::map<std::string, double> counters_in(const std::string& page) {
  std::map<std::string, double> counters;
  for (const auto& [title, name, label] : kCounters) counters[title] = 0;
  std::istringstream lines{page};
  for (std::string line; std::getline(lines, line);) {
    for (const auto& [title, name, label] : kCounters) {
      const auto end = line.find_first_of("{ ");
      if (line.substr(0, end) == name && line.find(label) != std::string::npos)
        counters[title] += std::stod(line.substr(line.rfind(' ')));
    }
  }
  return counters;
}

}  // namespace

// The largest number of backends that the instances have at one time.
class Arena::BackendCounter {
 public:
  explicit BackendCounter(std::string url) : url_{std::move(url)} {
    thread_ = std::jthread{[this](const std::stop_token& stop) { run(stop); }};
  }
  std::int64_t take() { return most_.exchange(0); }

 private:
  void run(const std::stop_token& stop) {
    std::optional<BlockingConnection> session;
    std::mutex mutex;
    std::condition_variable_any ended;
    std::unique_lock lock{mutex};
    while (!ended.wait_for(lock, stop, 20ms, [&] { return stop.stop_requested(); })) {
      try {
        if (!session) session.emplace(BlockingConnection::Options{.url = Secret{url_}});
        most_ = std::max(most_.load(), session->integer("SELECT count(*) FROM pg_stat_activity "
                                                        "WHERE application_name LIKE "
                                                        "'user-manager%' AND usename = $1 AND "
                                                        "datname = current_database()",
                                                        {std::string_view{test::kOwner}}));
      } catch (const PostgresError&) {
        session.reset();
      }
    }
  }

  const std::string url_;
  std::atomic<std::int64_t> most_{0};
  std::jthread thread_;
};

void PrintTo(const Fault& fault, std::ostream* out) {
  *out << fault.name;
}

Arena::Arena(Options options) : options_{options}, seed_{options.seed * 1'000'000} {
  FleetOptions fleet{.instances = 3,
                     .server = FleetOptions::Server::own,
                     .settings = {"max_prepared_transactions=4"},
                     .redis = FleetOptions::Redis::yes,
                     .network = FleetOptions::Network::all_gated,
                     .arguments = {"--database-timeout", "2s"},
                     .port = ServeOptions::Port::same};
  const bool small_disk = options_.disk == Options::Disk::small;
  if (small_disk) {
    disk_ = std::make_unique<test::SmallDisk>(
        test::SmallDisk::Options{.size = "24m", .owner = "postgres"});
    if (disk_->mounted()) fleet.tablespace = disk_->where();
  }
  if (std::filesystem::exists(kFakeTime)) {
    directory_.write("clock", "+0");
    fleet.environment_of_last = {{"LD_PRELOAD", kFakeTime},
                                 {"FAKETIME_TIMESTAMP_FILE", directory_.file("clock")},
                                 {"FAKETIME_DONT_FAKE_MONOTONIC", "1"},
                                 {"FAKETIME_NO_CACHE", "1"},
                                 {"FAKETIME_DISABLE_SHM", "1"}};
  }
  fleet_ = std::make_unique<Fleet>(fleet);
  Clients::make_users(*fleet_);
  if (!small_disk) {
    standby_ = std::make_unique<test::PostgresServer>(test::PostgresServer::Options{
        .settings = {"max_prepared_transactions=4"}, .primary = &server()});
  }
  watching_gate_ = std::make_unique<test::TcpGate>(server().port());
  backends_ = std::make_unique<BackendCounter>(
      "postgresql://postgres@127.0.0.1:" + std::to_string(watching_gate_->port()) + '/' +
      fleet_->database().name());
  last_.resize(fleet_->size());
}

Arena::~Arena() = default;

Round Arena::run(const std::vector<Fault>& faults) {
  Round round;
  for (const auto& fault : faults) round.faults += (round.faults.empty() ? "" : "; ") + fault.name;
  SCOPED_TRACE(round.faults);
  hold_snapshot();
  clients_ = std::make_unique<Clients>(*fleet_, seed_ += 100);
  EXPECT_TRUE(clients_->wait_for_writes(3)) << "before";
  backends_->take();
  Span span{.from = BootClock::now()};
  std::vector<std::function<void()>> ends;
  for (const auto& fault : faults) {
    try {
      ends.push_back(fault.begin(*this));
    } catch (const std::exception& error) {
      ADD_FAILURE() << fault.name << " does not begin: " << error.what();
      break;
    }
    const auto until = BootClock::now() + fault.lasts;
    while (BootClock::now() < until) std::this_thread::sleep_for(1ms);
  }
  for (const auto& end : ends) end();
  fleet_->time_to_heal("visitor");
  EXPECT_TRUE(clients_->wait_for_writes(3)) << "afterwards";
  span.to = BootClock::now();
  round.backends = backends_->take();

  auto evidence = clients_->stop();
  const auto kept =
      clients_->survivors_in(fleet_->database().session().text(clients_->survivors()));
  for (const auto& [name, version] : kept) {
    const auto now = BootClock::now();
    evidence.add(Seen{.operation = {.key = name, .begin = now, .end = now, .version = version}});
  }
  round.reads = evidence.count(Kind::read);
  round.writes = evidence.count(Kind::write);
  round.hits = evidence.hits();
  round.hits_during_writes = evidence.hits_during_writes();
  round.stale = evidence.violations();
  round.trouble = clients_->trouble();
  round.silent_reads = evidence.silence(Kind::read, fleet_->size(), span);
  round.silent_writes = evidence.silence(Kind::write, fleet_->size(), span);
  for (std::size_t i = 0; i < fleet_->size(); ++i) note_counters(i);
  activity_.hits_during_writes += round.hits_during_writes;
  writes_under_snapshot_ += round.writes;
  activity_.writes_under_snapshot =
      std::max(activity_.writes_under_snapshot, writes_under_snapshot_);
  return round;
}

void Arena::set(const std::string& setting, const std::string& value) {
  auto session = fleet_->database().admin();
  test::alter_system(session, setting, value);
}

void Arena::fail_over() {
  Loss loss{.from = clients_->losing()};
  standby_->psql("ALTER SYSTEM SET primary_conninfo = ''");
  standby_->psql("SELECT pg_reload_conf()");
  EXPECT_TRUE(eventually(
      [&] { return standby_->psql("SELECT count(*) FROM pg_stat_wal_receiver") == "0\n"; }));
  EXPECT_TRUE(clients_->wait_for_writes(10)) << "nothing to lose";
  server().stop(test::PostgresServer::Stop::immediate);
  standby_->psql("SELECT pg_promote(true, 30)");
  loss.survived = clients_->survivors_in(
      standby_->psql(clients_->survivors(), {.database = fleet_->database().name()}));
  watching_gate_->lead_to(standby_->port());
  watching_gate_->cut();
  fleet_->fail_over_to(std::move(standby_));
  loss.to = BootClock::now();
  clients_->lost(std::move(loss));
  standby_ = std::make_unique<test::PostgresServer>(test::PostgresServer::Options{
      .settings = {"max_prepared_transactions=4"}, .primary = &server()});
}

bool Arena::shift_clock(std::chrono::seconds by) {
  if (!std::filesystem::exists(kFakeTime)) {
    std::cout << "  NOT TESTED: libfaketime is not installed\n";
    return false;
  }
  const auto text = (by < 0s ? "" : "+") + std::to_string(by.count());
  std::filesystem::rename(directory_.write("clock.new", text), directory_.file("clock"));
  return true;
}

void Arena::hold_snapshot() {
  if (snapshot_) {
    try {
      snapshot_->execute("SELECT 1");
      return;
    } catch (const PostgresError&) {
      snapshot_.reset();  // its server is gone
    }
  }
  snapshot_ = std::make_unique<BlockingConnection>(fleet_->database().admin());
  writes_under_snapshot_ = 0;
  snapshot_->execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT pg_current_snapshot()");
}

void Arena::note_counters(std::size_t instance) {
  const auto now = counters_in(fleet_->client(instance).send({.target = "/metrics"}).body);
  for (const auto& [title, count] : now) {
    activity_.counters[title] += count - last_[instance][title];
  }
  last_[instance] = now;
}

double Arena::counter(const std::string& title, std::size_t instance) {
  return counters_in(fleet_->client(instance).send({.target = "/metrics"}).body).at(title);
}

void Arena::keep_counters(std::size_t instance) {
  note_counters(instance);
  last_[instance].clear();
}

}  // namespace um::e2e
