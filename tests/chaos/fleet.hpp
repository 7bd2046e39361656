// Fleet: several instances of the program on one PostgreSQL database, with or without Redis, and
// their users.
//
// Thread safety: client(), as() and cache_stats() from any thread, the rest from the owner.
#pragma once

#include <iosfwd>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "support/postgres_database.hpp"
#include "support/redis_server.hpp"
#include "support/scenario.hpp"
#include "support/tcp_gate.hpp"

namespace um::e2e {

// T: how long after an acknowledged write other instances may still answer without it.
inline constexpr std::chrono::milliseconds kT{500};
// How soon everything works again after a server has come back.
inline constexpr std::chrono::seconds kHealed{5};

struct FleetOptions {
  std::size_t instances = 2;
  // own: may be stopped and configured. shared: the server of all tests, which needs no start.
  enum class Server { shared, own } server = Server::shared;
  std::vector<std::string> settings{};  // of the own server
  enum class Redis { no, yes } redis = Redis::no;
  // first_gated: instance 0 reaches PostgreSQL through gate(0). all_gated: every instance i does so
  // through gate(i), and all of them reach Redis through redis_gate().
  enum class Network { direct, first_gated, all_gated } network = Network::direct;
  std::vector<std::string> arguments{};  // of every `serve`
  ServeOptions::Port port = ServeOptions::Port::any;
  std::map<std::string, std::string> environment_of_last{};  // added, of the last instance
  // An empty directory, owned by the server's user, for the database's tables. REQUIRES:
  // Server::own.
  std::string tablespace{};
};

// The parameters of tests that run on every kind of fleet, and their names.
inline std::vector<FleetOptions> fleets_with_and_without_redis() {
  return {{.instances = 3}, {.redis = FleetOptions::Redis::yes}};
}
inline std::string name_of_fleet(const ::testing::TestParamInfo<FleetOptions>& fleet) {
  return fleet.param.redis == FleetOptions::Redis::yes ? "TwoWithRedis" : "ThreeWithoutRedis";
}

// For the names of tests.
void PrintTo(const FleetOptions& options, std::ostream* out);

class Fleet {
 public:
  explicit Fleet(FleetOptions options = {});
  ~Fleet();
  Fleet(const Fleet&) = delete;
  Fleet& operator=(const Fleet&) = delete;

  std::size_t size() const { return 1 + others_.size(); }
  // The stage of instance 0; its users exist on all instances.
  Stage& stage() { return *stage_; }
  ServerUnderTest& instance(std::size_t i) { return i == 0 ? stage_->server() : *others_[i - 1]; }
  HttpClient client(std::size_t i) { return instance(i).client(); }

  test::PostgresServer& postgres() { return *postgres_; }  // REQUIRES: Server::own
  test::TestDatabase& database() { return *database_; }
  RedisServer& redis() { return *redis_; }                          // REQUIRES: Redis::yes
  test::TcpGate& gate(std::size_t i = 0) { return *gates_.at(i); }  // REQUIRES: it is gated
  test::TcpGate& redis_gate() { return *redis_gate_; }  // REQUIRES: Network::all_gated, Redis::yes

  // The promoted standby is the server of this fleet from now on: the gates lead there.
  // REQUIRES: Server::own, Network::all_gated; the server of before has stopped.
  void fail_over_to(std::unique_ptr<test::PostgresServer> promoted);

  // A request with the token of a user of the stage; "<name>" is replaced.
  HttpRequest as(const std::string& who, const std::string& request, std::string body = {}) const;

  // The output of all instances.
  std::string output();
  // A number of GET /cache/stats. Throws if the instance does not answer.
  std::int64_t cache_stat(std::size_t i, std::string_view pointer);

  // Repeats `request` until every instance answers it from memory with 200; false: some never does.
  bool warm_up(const HttpRequest& request);
  // The time until every instance writes, and reads from memory; at most the patience.
  std::chrono::milliseconds time_to_heal(const std::string& who);

 private:
  std::shared_ptr<TestStorage> storage_of(std::size_t i, const FleetOptions& options);
  ServeOptions serve_options(std::size_t i, const FleetOptions& options);

  std::unique_ptr<test::PostgresServer> postgres_;
  std::unique_ptr<test::TestDatabase> database_;
  std::unique_ptr<RedisServer> redis_;
  std::vector<std::unique_ptr<test::TcpGate>> gates_;
  std::unique_ptr<test::TcpGate> redis_gate_;
  std::unique_ptr<Stage> stage_;
  std::vector<std::unique_ptr<ServerUnderTest>> others_;
};

bool is_hit(const HttpResponse& answer);
// Adds a figure to the test's output and report.
void note_figure(const std::string& name, std::chrono::nanoseconds figure);

}  // namespace um::e2e
