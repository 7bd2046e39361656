// Monitor: measures the promise of a running deployment as one more client of its instances.
//
// In each round it changes one probe user through one instance, and reads it by id and by address
// at every instance before, during and after the write. It also reads the other probes, and
// followed users of the deployment, which it never changes, at one instance after the other.
// KeyHistory judges every read. An error is no broken promise: an instance that does not answer
// promises nothing.
//
// One thread; every callback runs in run(). Thread safety: none.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "monitor/instances.hpp"
#include "monitor/probe.hpp"
#include "monitor/report.hpp"
#include "monitor/user_calls.hpp"

namespace um {

struct MonitorOptions {
  std::chrono::milliseconds interval{1'000};  // between two writes
  std::size_t probes = 4;                     // at least 1
  std::vector<std::int64_t> follow{};         // ids
  std::size_t follow_sample = 0;              // so many more users, chosen at random
  std::chrono::milliseconds duration{0};      // 0: until it is stopped
  std::chrono::milliseconds report_interval{60'000};
  // How late reads of probes, and of followed users, may be; nullopt: as the deployment says.
  std::optional<std::chrono::milliseconds> bound{};
  std::optional<std::chrono::milliseconds> follow_bound{};
};

class Monitor {
 public:
  struct Parts {
    const Clock& clock;  // these outlive the monitor
    Instances& instances;
    Report& report;
    std::function<void(const std::string&)> note;  // a line for people about the monitor itself
    std::function<bool()> stop;                    // asked a few times a second
  };
  Monitor(Parts parts, MonitorOptions options);

  // Runs until it is stopped; removes its probes. An error: the monitor could not begin.
  Result<void> run();

 private:
  struct Round;
  using RoundRef = std::shared_ptr<Round>;
  using ProbeRef = std::shared_ptr<Probe>;
  using KeyRef = Probe::KeyRef;

  Result<void> begin();
  void learn_terms();
  Result<void> create_first_probe();
  void choose_sample();
  void remove_left_overs();

  void loop();
  void at(BootTime moment, std::function<void()> action);
  void run_due(BootTime now);
  void begin_round();
  void write(const ProbeRef& probe, std::size_t instance, const RoundRef& round);
  void end_write(const ProbeRef& probe, Probe::Write::Kind kind, std::size_t instance,
                 const http_client::Answer& answer);
  void read(const KeyRef& key, std::size_t instance, std::function<void()> then);
  void judge(const KeyRef& key, std::size_t instance, const KeyHistory::Floor& floor,
             const http_client::Answer& answer);
  void read_in_round(const RoundRef& round, const KeyRef& key, std::size_t instance);
  void read_everywhere(const RoundRef& round, const KeyRef& key);
  void read_in_turn(const KeyRef& key, std::size_t first, std::size_t step);
  void read_others(const ProbeRef& written);
  void read_followed();
  void abandon(const Probe& probe);
  void look_later(const std::string& email);
  void look_for_abandoned();
  void remove_abandoned(const std::string& email, std::int64_t id);

  void end();
  void remove_probes();
  bool remove_user(const std::string& email, std::optional<std::int64_t> id);
  std::size_t any_instance() { return random_() % parts_.instances.size(); }
  ProbeRef make_probe() const;

  const Parts parts_;
  const MonitorOptions options_;
  std::chrono::nanoseconds bound_{};         // of probes
  std::chrono::nanoseconds follow_bound_{};  // of followed users
  std::vector<ProbeRef> probes_;
  struct Abandoned {
    std::string email;
    BootTime since;
  };
  std::deque<Abandoned> abandoned_;  // retired probes, which may exist; the oldest first
  std::vector<KeyRef> followed_;
  std::multimap<BootTime, std::function<void()>> due_;
  std::size_t rounds_ = 0;
  std::size_t next_followed_ = 0;
  bool stopping_ = false;
  std::minstd_rand random_{std::random_device{}()};
};

}  // namespace um
