#include "consistency/sim_instance.hpp"

#include "consistency/sim_batch.hpp"

namespace um::sim {
namespace {

// Small bounds, so that full logs and too many changes are frequent.
CoherenceSettings cache_settings(const World& world) {
  CoherenceSettings settings{.staleness_bound = kT,
                             .capacity_bytes = 64 << 10,
                             .shards = 2,
                             .max_log_entries = 12,
                             .max_poll_changes = 8};
  const bool has_registry = world.scenario.deployment == Deployment::postgres_strict;
  if (has_registry && !world.mutated(Mutation::lease_without_refreshes))
    settings.registry_bound = kTimes.instance_lease;
  return settings;
}

Host any_host(World& world) {
  const auto of_5000 = [&] { return static_cast<Time>(world.random() % 5000); };
  return {.origin = 1'000'000 * (1 + of_5000()), .per_million = of_5000() / 5 - 500};
}

}  // namespace

void SimListener::settle(std::span<const std::string> keys, std::optional<Xid> xid) {
  if (world_.mutated(Mutation::own_commit_not_logged)) xid.reset();
  cache_.settle(keys, xid);
}

Leftovers SimListener::apply(const Poll& poll) {
  Poll applied = poll;
  if (applied.flush_reason) {
    ++world_.evidence.flushes;
    if (*applied.flush_reason == "purged") ++world_.evidence.purged_unseen;
    if (applied.base) ++world_.evidence.bases;
    // The shards are emptied, and B stays what it was.
    if (world_.mutated(Mutation::base_set_after_the_emptying) && last_ &&
        last_->tau == applied.stamp.tau) {
      applied.base.reset();
      applied.stamp.snapshot = last_->snapshot;
    }
  }
  last_ = poll.stamp;
  return cache_.apply(applied);
}

Instance::Instance(World& at, std::size_t n, Role part)
    : world{at},
      number{n},
      role{part},
      host{any_host(at)},
      coherence{cache_settings(at), {.k0 = 1, .k1 = 2}},
      listener{at, coherence},
      own_holds{"h" + std::to_string(at.next_id++) + "."},
      steps{{.times = times_of(at.scenario.deployment),
             .poll_interval = std::chrono::milliseconds{75},
             .refresh_every = std::chrono::milliseconds{200},
             .retry_after = std::chrono::milliseconds{50},
             .limits = {.changes = 8},
             .own_holds = own_holds,
             .new_id = [this] { return new_id(); }}},
      wake{at.timeline},
      seen{at.timeline} {
  if (part == Role::server) delivery.start(listener);
}

Time Instance::global(BootTime time) const {
  if (time == BootTime::max()) return kNever;
  return host.global(in_microseconds(time.time_since_epoch()));
}

Script<bool> Instance::open(Connection& connection) {
  co_await pause();
  if (!world.postgres.is_up(world.now())) co_return false;
  connection.life = world.postgres.life();
  connection.note = world.postgres.name_space();
  connection.tau = tau_of(connection.note);
  co_await pause();
  co_return is_open(connection);
}

Script<bool> Instance::ready(Connection& connection) {
  bool opened = is_open(connection);
  if (!opened) opened = co_await open(connection);
  co_return opened;
}

Script<std::optional<bool>> Instance::has_ended(std::shared_ptr<Batch> batch,
                                                std::string name_space) {
  const bool opened = co_await ready(look_ups);
  if (!opened) co_return std::nullopt;
  const bool known = world.mutated(Mutation::server_without_a_name) || !look_ups.note.empty();
  bool same_server = server_of(look_ups.note) == server_of(name_space);
  if (world.mutated(Mutation::new_epoch_ends_processes)) same_server = look_ups.note == name_space;
  auto look = [batch] {
    if (!batch->has_begun) batch->never_arrives = true;
    return batch->has_ended || batch->never_arrives;
  };
  const std::optional<bool> ended = co_await run(look_ups, look);
  if (!ended) co_return std::nullopt;
  co_return known && (!same_server || *ended);
}

std::optional<StrictTerms> Instance::terms() const {
  std::optional<StrictTerms> terms = steps.terms();
  if (!terms) terms = own_terms;
  if (!terms) return terms;
  if (world.mutated(Mutation::writer_does_not_wait)) terms->longest_lease = {};
  if (world.mutated(Mutation::namespace_just_met_counts) && terms->first_seen)
    *terms->first_seen -= terms->longest_lease;
  return terms;
}

// The session of the feed, or what is left of it, keeps its lock for a while.
void Instance::session_ends(const std::string& id) {
  if (id.empty()) return;
  auto end = [](World& at, std::string whose) -> Script<> {
    co_await at.sleep(nullptr, at.one_in(4) ? at.up_to(4 * kStaleness) : at.delay());
    at.postgres.end_session(whose);
  };
  world.spawn(end(world, id));
}

void Instance::say_goodbye() {
  delivery.end_lease();
  leave();
}

void Instance::leaves_too_early() {
  feed_script.reset();
  leave();
}

void Instance::leave() {
  auto delete_rows = [](World& at, int life, std::vector<std::string> rows) -> Script<> {
    co_await at.sleep(nullptr, at.delay());
    if (at.postgres.life() == life) at.postgres.leave(rows);
  };
  session_ends(steps.id());
  world.spawn(delete_rows(world, world.postgres.life(), steps.rows()));
}

void Instance::collect_evidence() const {
  const auto stats = coherence.stats(clock());
  Evidence& evidence = world.evidence;
  evidence.local_holds += stats.holds;
  evidence.lapsed_leases += stats.lapsed_leases;
  for (const auto refused : stats.refused) evidence.refused += refused;
  evidence.held_refusals += stats.refused[static_cast<std::size_t>(Admission::held)];
}

}  // namespace um::sim
