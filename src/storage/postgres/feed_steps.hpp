// FeedSteps: what the feed's thread does next: join the registry, poll, acknowledge holds, refresh
// its row (docs/consistency.md, sections 3 and 7). A state machine without a connection: the feed
// runs the statements, the simulation runs them on a simulated database.
//
// Order. An instance joins before it polls: with a lease from an earlier poll it would answer from
// memory although no writer waits for it. It joins anew, under a new id, on every new connection,
// in every new namespace, and when a refresh or an acknowledgement found no row; so rows that a
// dump or a restart brought back belong to nobody. An acknowledgement follows the poll that showed
// the hold as soon as the poll is applied, and belongs to the registration under which it was
// applied. A poll goes before the refresh of a row, unless the refresh is long overdue.
//
// A registration, an acknowledgement or a refresh that is refused (a lock, a full disk) delays no
// poll: it is sent again later. In mode bounded a lease needs no registration, so polls go on
// without one.
//
// Polls. The next one is sent one interval after the last one began, or at once after a wake-up,
// but never before three times the duration of the last one has passed since it began: polls cost
// the primary at most a third of a core.
//
// Thread safety: none; it belongs to the feed's thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "storage/postgres/polls.hpp"
#include "storage/postgres/strict_terms.hpp"

namespace um {

class FeedSteps {
 public:
  struct Options {
    CacheTimes times{};  // those that this process runs with
    std::chrono::nanoseconds poll_interval = std::chrono::milliseconds{75};
    std::chrono::nanoseconds refresh_every = std::chrono::seconds{2};
    std::chrono::nanoseconds retry_after = std::chrono::milliseconds{100};
    // A statement for the registry may have waited for its lock for 200 ms before it was refused.
    std::chrono::nanoseconds retry_registry_after = std::chrono::milliseconds{500};
    PostgresPolls::Limits limits{};
    // Holds of this process begin with it: they need no acknowledgement of its own.
    std::string own_holds{};
    std::function<std::string()> new_id{};  // a random UUID
  };
  explicit FeedSteps(Options options);

  enum class Act { join, poll, repair, acknowledge, refresh, leave, wait };
  struct Step {
    Act act;
    BootTime until = BootTime::max();       // of wait
    std::string id{};                       // join: the new one; acknowledge, refresh: the own one
    std::vector<std::string> former_ids{};  // rows to remove; of join and leave
    PostgresPolls::Question question{.limit = 0};  // poll
    Snapshot seen{};                               // acknowledge
  };
  Step next(BootTime now) const;

  void connected();
  void disconnected();
  // The deployment's wake-up: a poll is due as soon as the last one allows.
  void woken();
  // A wait has lasted until `until`. With a manual clock, which does not go on by itself, what was
  // due then is due now.
  void waited(BootTime until, BootTime now);
  // The statement of the step was refused (a lock, a time limit); the connection is good.
  void refused(Act act, BootTime now);

  // Before a join is sent: if its answer is lost, its row may be there.
  void joining(const std::string& id);
  // Statements that succeeded. `sent_at`, `now`: before the statement was sent, after its answer.
  void joined(const std::string& id, const std::string& name_space, std::int64_t others,
              BootTime sent_at);
  void refreshed(std::size_t rows, std::int64_t others, BootTime sent_at);
  void acknowledged(std::size_t rows, const Snapshot& seen);
  void repaired();
  void left();
  // A writer met other instances.
  void note_company();

  // The settings that a poll read in its snapshot.
  struct Settings {
    std::int64_t epoch = 0;
    CacheTimes times{};
    CacheTimes::ms former_bound{};  // former T
  };
  // A poll's answer without a namespace: repair is next.
  void found_no_namespace(BootTime sent_at, BootTime now);

  // How to apply a poll: apply(), then acknowledge_refresh. REQUIRES, if the poll gives no lease:
  // the lease is ended before.
  struct Applied {
    Poll poll;
    bool new_namespace = false;
    std::optional<BootTime>
        vouched_at{};  // a registration or refresh that this poll was sent after
  };
  Applied take(PostgresPolls::Answer answer, const Settings& settings, BootTime now);
  // The poll must not be applied (SettledWrites): the next one is sent at once.
  void skip(BootTime sent_at, BootTime now);

  bool starts_over(const PostgresPolls::Answer& answer) const { return polls_.starts_over(answer); }
  const PostgresPolls& polls() const { return polls_; }
  // Since the last poll; nullopt before the first one, and without a connection: the namespace may
  // be another one meanwhile. That a process is outdated stays true.
  std::optional<StrictTerms> terms() const {
    return connected_ || retired_ ? terms_ : std::nullopt;
  }
  bool registered() const { return !id_.empty(); }
  const std::string& id() const { return id_; }
  // Rows that this process may have in the registry.
  std::vector<std::string> rows() const;
  // The deployment runs with other times: there is no lease any more.
  bool retired() const { return retired_; }

 private:
  bool needs_registration() const { return options_.times.mode == Consistency::strict; }
  void give_up_id();
  void expelled();
  void polled(BootTime sent_at, BootTime now);
  bool has_fresh_holds(const std::set<PostgresPolls::Hold>& before) const;
  void update_terms();

  const Options options_;
  PostgresPolls polls_;
  bool connected_ = false;
  bool retired_ = false;
  bool namespace_missing_ = false;
  std::string id_;                       // of the own row; empty: not registered
  std::vector<std::string> former_ids_;  // of rows to remove when joining
  std::string joined_in_;                // the namespace in which id_ was inserted
  bool acknowledges_all_ = false;        // the next poll's holds are all new to this registration
  std::int64_t others_ = 1;
  BootTime refresh_due_ = BootTime::min();
  BootTime poll_due_ = BootTime::min();
  BootTime poll_allowed_ = BootTime::min();
  BootTime join_due_ = BootTime::min();
  BootTime acknowledge_due_ = BootTime::min();
  BootTime refresh_allowed_ = BootTime::min();
  BootTime retry_due_ = BootTime::min();  // of polls and repairs
  std::optional<Snapshot> to_acknowledge_;
  std::optional<BootTime> to_vouch_;
  std::optional<StrictTerms> terms_;
};

}  // namespace um
