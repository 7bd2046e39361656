#include "storage/postgres/upkeep.hpp"

#include <algorithm>
#include <utility>

#include "storage/postgres/queries.hpp"

namespace um {

namespace queries = postgres_queries;
using namespace std::chrono_literals;

PostgresUpkeep::PostgresUpkeep(PostgresDatabase& database, const PostgresChangeFeed& feed,
                               CacheTimes times, UpkeepOptions own)
    : db_{database},
      feed_{feed},
      times_{times},
      own_{std::move(own)},
      clock_{database.clock()},
      reaper_{{.silence = times.instance_reap}} {}

UpkeepStats PostgresUpkeep::stats() const {
  UpkeepStats stats = read_counters(counters_);
  stats.holds = feed_.holds_alive();
  return stats;
}

Task<Result<bool>> PostgresUpkeep::run(Deadline deadline) {
  if (db_.strict_writes().is_untidy()) co_await db_.strict_writes().tidy_up(deadline);
  const BootTime now = clock_.now();
  if (now >= next_look_) {
    next_look_ = now + own_.look_every;
    const auto looked = co_await look_at_instances(deadline);
    if (!looked) co_return std::unexpected(looked.error());
    const auto removed = co_await remove_old_holds(deadline);
    if (!removed) co_return std::unexpected(removed.error());
    const auto forgotten = co_await forget_former_bound(deadline);
    if (!forgotten) co_return std::unexpected(forgotten.error());
  }
  // The mark goes before the purge: an instance with a poll older than the first mark of a
  // namespace has to flush as soon as another instance purges.
  if (now >= next_mark_) {
    next_mark_ = now + own_.mark_every;
    const auto marked = co_await db_.change(queries::kTakeMark, {}, deadline);
    if (!marked) co_return std::unexpected(marked.error());
    purging_ = true;
    purged_since_.reset();
  }
  if (!purging_) co_return false;
  const auto more = co_await purge(deadline);
  if (!more) co_return std::unexpected(more.error());
  purging_ = *more;
  co_return *more;
}

Task<Result<void>> PostgresUpkeep::look_at_instances(Deadline deadline) {
  const auto rows = co_await db_.look_up(queries::kListInstances, {}, deadline);
  if (!rows) co_return std::unexpected(rows.error());
  const BootTime now = clock_.now();
  const auto all = PostgresReaper::read(*rows);
  const auto terms = feed_.terms();
  if (terms) reaper_.set_longest_lease(terms->longest_lease);
  counters_.instances.set(all.size());
  tell_of_those_without_protocol(all);
  for (const PostgresReaper::Instance& dead : reaper_.dead(all, now)) {
    if (terms && terms->instance == dead.id) continue;
    const auto gone =
        co_await db_.change(queries::kExpelInstance, {dead.id, dead.refreshes}, deadline);
    if (!gone) co_return std::unexpected(gone.error());
    counters_.expelled.add(gone->affected());
    if (own_.log && gone->affected() > 0)
      own_.log("instance " + dead.name + " was removed from cache_instances: " +
               (dead.session_has_ended ? "its session has ended" : "it was silent for too long"));
  }
  co_return Result<void>{};
}

void PostgresUpkeep::tell_of_those_without_protocol(
    const std::vector<PostgresReaper::Instance>& all) {
  std::set<std::string> present;
  for (const PostgresReaper::Instance& instance : all) {
    if (instance.protocol > 0) continue;
    present.insert(instance.id);
    if (own_.log && !without_protocol_.contains(instance.id))
      own_.log("instance " + instance.name +
               " runs a version that acknowledges no holds: every strict write waits for the "
               "staleness bound");
  }
  counters_.without_protocol.set(present.size());
  without_protocol_ = std::move(present);
}

// A writer that stopped for so long finds its hold gone and begins again.
Task<Result<void>> PostgresUpkeep::remove_old_holds(Deadline deadline) {
  const auto kept = std::max<std::chrono::nanoseconds>(30s, 2 * times_.staleness_bound + 10s);
  const std::vector<std::string> old = feed_.holds_known_since(clock_.now() - kept);
  if (!old.empty()) {
    const auto dropped = co_await db_.change(queries::kDropHolds, {pg::text_array(old)}, deadline);
    if (!dropped) co_return std::unexpected(dropped.error());
    counters_.dropped_holds.add(static_cast<std::uint64_t>(dropped->integer(0, 0)));
  }
  const auto purged = co_await db_.change(queries::kPurgeAcks, {}, deadline);
  if (!purged) co_return std::unexpected(purged.error());
  co_return Result<void>{};
}

// Former T is of leases from earlier namespaces. None of them is alive when this process has known
// the present one for longer than the longest of them lasts.
Task<Result<void>> PostgresUpkeep::forget_former_bound(Deadline deadline) {
  const auto terms = feed_.terms();
  if (!terms || !terms->first_seen || terms->epoch == epoch_without_former_ ||
      clock_.now() < *terms->first_seen + terms->longest_lease)
    co_return Result<void>{};
  const auto done = co_await db_.change(queries::kForgetFormerBound, {terms->epoch}, deadline);
  if (!done) co_return std::unexpected(done.error());
  epoch_without_former_ = terms->epoch;
  co_return Result<void>{};
}

Task<Result<bool>> PostgresUpkeep::purge(Deadline deadline) {
  const auto rows = co_await db_.change(
      queries::kPurgeChanges, pg::Params{own_.purge_batch, purged_up_to_, purged_since_}, deadline);
  if (!rows) co_return std::unexpected(rows.error());
  const bool more = rows->integer(0, 0) >= own_.purge_batch;
  if (more) {
    purged_since_ = rows->text_or_null(0, 2);
  } else {
    purged_up_to_ = rows->text_or_null(0, 1);
    purged_since_.reset();
  }
  co_return more;
}

}  // namespace um
