// Instance: one process, from its start until it is killed or stopped. The code of the product with
// simulated connections. An instance without a feed stands for the command line.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "async/single_flight.hpp"
#include "cache/coherence.hpp"
#include "consistency/sim_world.hpp"
#include "storage/postgres/feed_delivery.hpp"
#include "storage/postgres/rows.hpp"

namespace um::sim {

inline constexpr std::size_t kNoInstance = 99;  // another program
inline constexpr std::chrono::milliseconds kT{500};
inline constexpr Time kStaleness = in_microseconds(kT);
// Small times, so that a run of a few seconds contains refreshes, and rows of dead instances.
inline constexpr CacheTimes kTimes{.staleness_bound = kT,
                                   .instance_lease = std::chrono::milliseconds{800},
                                   .instance_reap = std::chrono::milliseconds{1200}};

inline CacheTimes times_of(Deployment deployment) {
  CacheTimes times = kTimes;
  if (deployment == Deployment::postgres_bounded) times.mode = Consistency::bounded;
  return times;
}

class Reader;
struct Batch;

// Versions are stored in L1 as ids, the smallest kind of value; version 0 is an absent row.
inline L1Value value_of(Version version) {
  if (version == 0) return Absent{};
  return *UserId::from(version);
}
inline Version version_of(const L1Value& value) {
  const auto* id = std::get_if<UserId>(&value);
  return id != nullptr ? id->value() : 0;
}

// Stands between the feed and the cache, where some mutations are.
class SimListener final : public ChangeListener {
 public:
  SimListener(World& world, Coherence& cache) : world_{world}, cache_{cache} {}

  void hold(std::span<const std::string> keys) override {
    if (is_in_begin) ++world_.evidence.kept_held;
    cache_.hold(keys);
  }
  void settle(std::span<const std::string> keys, std::optional<Xid> xid) override;
  Leftovers apply(const Poll& poll) override;
  void acknowledge_refresh(BootTime sent_at) override { cache_.acknowledge_refresh(sent_at); }
  void end_lease() override {
    if (!keeps_lease) cache_.end_lease();
  }

  bool keeps_lease = false;  // a mutation
  bool is_in_begin = false;  // of FeedDelivery

 private:
  World& world_;
  Coherence& cache_;
  std::optional<Stamp> last_;
};

class Instance {
 public:
  enum class Role { server, command_line };
  Instance(World& world, std::size_t number, Role role);
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;

  struct Connection {
    int life = -1;  // of the server when it was opened; -1: closed
    std::string note{};
    Tau tau{};  // of the note
    void close() { life = -1; }
  };
  bool is_open(const Connection& c) const { return c.life == world.postgres.life(); }
  // False: the server cannot be reached.
  Script<bool> open(Connection& connection);
  Script<bool> ready(Connection& connection);  // opens it if need be
  // Runs a statement; nullopt: the connection was lost, and the statement was executed, or not, or
  // will be. REQUIRES: the statement refers to nothing that dies with the process.
  template <class Statement>
  Script<std::optional<std::invoke_result_t<Statement&>>> run(Connection& connection,
                                                              Statement statement);
  // Whether the server has ended a write of another connection; one that has not begun never will.
  Script<std::optional<bool>> has_ended(std::shared_ptr<Batch> batch, std::string name_space);

  BootTime clock() const { return boot_time(host.local(world.now())); }
  Time global(BootTime time) const;
  Wait pause() { return world.sleep(&host, world.delay()); }
  Wait wait_for(Signal& signal, Time until) { return {world.timeline, &host, until, &signal}; }
  std::string new_id() { return "n" + std::to_string(world.next_id++); }

  // The feed's thread, and what it tells writers.
  Script<> feed();
  std::optional<StrictTerms> terms() const;
  // Housekeeping: dead instances, old holds, and what writers left behind.
  Script<> upkeep();
  // Before the process exits.
  void say_goodbye();
  void dies() { session_ends(steps.id()); }
  void leaves_too_early();  // a mutation
  void collect_evidence() const;

  World& world;
  const std::size_t number;
  const Role role;
  Host host;
  Coherence coherence;
  SimListener listener;
  const std::string own_holds;
  FeedSteps steps;
  FeedDelivery delivery{steps};
  Signal wake;  // a poll is due
  Signal seen;  // an instance has acknowledged holds
  std::map<std::string, Flight<Reader*>> flights;
  Connection feed_connection;
  Connection look_ups;
  Connection writes;
  std::optional<StrictTerms> own_terms;
  std::vector<std::string> abandoned;  // holds
  struct Unsettled {                   // a write that may still be running in the server
    std::vector<std::string> keys;
    std::shared_ptr<Batch> batch;
    std::string name_space;
  };
  std::vector<Unsettled> unsettled;
  Time refreshes_refused_until = 0;  // somebody has locked the row
  bool writer_thread_busy = false;   // SQLite: polls and commits take turns

  // Destroyed before the rest.
  std::vector<Script<>> scripts;
  std::optional<Script<>> feed_script;

 private:
  Script<bool> perform(const FeedSteps::Step& step);
  Script<bool> join(const FeedSteps::Step& step);
  Script<bool> poll(PostgresPolls::Question question);
  Script<bool> acknowledge(std::string id, Snapshot seen_by_poll);
  Script<bool> refresh(std::string id);
  Script<> apply(SimPostgres::Polled polled);
  void mutate(PostgresPolls::Answer& answer) const;
  void session_ends(const std::string& id);
  void leave();
};

template <class Statement>
Script<std::optional<std::invoke_result_t<Statement&>>> Instance::run(Connection& connection,
                                                                      Statement statement) {
  const bool opened = co_await ready(connection);
  if (!opened) co_return std::nullopt;
  const int life = connection.life;
  const bool breaks = world.one_in(world.one_connection_in_breaks);
  if (breaks && world.one_in(2)) {  // the statement arrives after the client has given up, or never
    if (world.one_in(2)) {
      auto late = [](World& at, int server, Statement todo) -> Script<> {
        co_await at.sleep(nullptr, at.up_to(kStaleness));
        if (at.postgres.life() == server) static_cast<void>(todo());
      };
      world.spawn(late(world, life, std::move(statement)));
    }
    co_await pause();
    connection.close();
    co_return std::nullopt;
  }
  co_await world.sleep(nullptr, world.delay());
  if (world.postgres.life() != life) {
    connection.close();
    co_return std::nullopt;
  }
  auto result = statement();
  co_await pause();
  if (breaks || world.postgres.life() != life) {
    connection.close();
    co_return std::nullopt;
  }
  co_return result;
}

}  // namespace um::sim
