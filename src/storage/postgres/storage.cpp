#include "storage/postgres/storage.hpp"

#include <atomic>

#include "base/random.hpp"
#include "storage/postgres/bell.hpp"
#include "storage/postgres/blocking_connection.hpp"
#include "storage/postgres/change_feed.hpp"
#include "storage/postgres/database.hpp"
#include "storage/postgres/migrator.hpp"
#include "storage/postgres/queries.hpp"
#include "storage/postgres/stores.hpp"
#include "storage/postgres/upkeep.hpp"
#include "storage/purge.hpp"

namespace um {

namespace {

// Rows of attempts that one call of housekeeping deletes. There are at most 160,000, without
// triggers or secondary indexes.
constexpr std::int64_t kAttemptsBatch = 10'000;

// The ids of one process' holds begin alike: 60 random bits of a UUID.
constexpr std::size_t kOwnPart = 18;

class PostgresStorage final : public Storage {
 public:
  PostgresStorage(const PostgresOptions& options, std::string place)
      : clock_{*options.clock},
        place_{std::move(place)},
        own_holds_{random_uuid().substr(0, kOwnPart)},
        bell_{{.url = options.url, .clock = options.clock, .sender = own_holds_}},
        feed_{feed_options(options)},
        database_{options,
                  feed_,
                  {.own_holds = own_holds_,
                   .ask_every = options.poll_interval,
                   .outcome_patience = options.outcome_patience,
                   .wake = [this] { bell_.wake(); }}},
        upkeep_{database_, feed_, options.times, {.log = options.log}} {}

  // The feed calls the database and the bell, so it stops before they are destroyed.
  ~PostgresStorage() override { feed_.stop(); }

  UserStore& users() override { return users_; }
  SessionStore& sessions() override { return sessions_; }
  SigningKeyStore& signing_keys() override { return signing_keys_; }
  ChangeFeed& changes() override { return feed_; }
  AttemptStore* attempts() override { return &attempts_; }
  StorageStats stats() const override {
    StorageStats stats = database_.stats();
    for (const auto& [query, counters] : feed_.query_stats().all())
      stats.queries["feed_" + std::string{query->name}] = report_of(counters);
    const auto add = [&](std::vector<PublishedNumber> numbers) {
      stats.client.insert(stats.client.end(), numbers.begin(), numbers.end());
    };
    add(published(bell_.stats()));
    add(published(upkeep_.stats()));
    return stats;
  }
  std::string describe() const override { return "PostgreSQL " + place_; }

  Task<Result<bool>> upkeep(Deadline deadline) override { return upkeep_.run(deadline); }

  // The deployment must be the one that this process runs with, and the first writes of a process
  // must not have to wait for leases from before it, which it cannot know: a rolling restart would
  // have slow writes. One statement on a connection for look-ups and one on a connection for
  // writes: both kinds must work, on a server that accepts writes.
  Task<Result<void>> ping(Deadline deadline) override {
    const auto fit = check_terms();
    if (!fit) co_return fit;
    const auto read = co_await database_.look_up(postgres_queries::kPing, {}, deadline);
    const auto checked = check_ping(read);
    if (!checked) co_return checked;
    const auto written = co_await database_.change(postgres_queries::kPing, {}, deadline);
    co_return check_ping(written);
  }

  // Every instance does this at its own time. Rows that one instance is deleting are skipped by the
  // others, so no instance waits for another.
  Task<Result<bool>> housekeeping(WallTime now, Deadline deadline) override {
    const auto purged = co_await purge_expired(users_, sessions_, now, deadline);
    if (!purged) co_return purged;
    const auto attempts = co_await attempts_.purge(kAttemptsBatch, deadline);
    if (!attempts) co_return std::unexpected(attempts.error());
    co_return *purged || *attempts >= kAttemptsBatch;
  }

 private:
  Result<void> check_terms() {
    const auto terms = feed_.terms();
    if (!terms) return {};  // nothing is cached, or the lease tells
    if (terms->outdated) return fail(outdated_deployment());
    if (terms->mode == Consistency::strict && !settled_in_) {
      if (terms->first_seen && clock_.now() < *terms->first_seen + terms->longest_lease)
        return fail(unavailable("it waits for leases from before this process to end"));
      settled_in_ = true;
    }
    return {};
  }
  static Result<void> check_ping(const Result<pg::Rows>& rows) {
    if (!rows) return std::unexpected(rows.error());
    if (!rows->boolean(0, 0)) return {};
    return fail(unavailable("the database accepts no writes now"));
  }

  PostgresChangeFeed::Options feed_options(const PostgresOptions& options) {
    return {.url = options.url,
            .clock = options.clock,
            .times = options.times,
            .instance_name = options.instance_name,
            .own_holds = own_holds_,
            .poll_interval = options.poll_interval,
            .log = options.log,
            .on_new_namespace = [this] { database_.renew(); },
            .on_seen = [this] { database_.strict_writes().seen(); },
            .on_acknowledged = [this] { bell_.seen(); }};
  }

  const Clock& clock_;
  const std::string place_;
  const std::string own_holds_;
  std::atomic<bool> settled_in_ = false;
  PostgresBell bell_;
  PostgresChangeFeed feed_;
  PostgresDatabase database_;
  PostgresUpkeep upkeep_;
  PostgresUserStore users_{database_};
  PostgresSessionStore sessions_{database_};
  PostgresSigningKeyStore signing_keys_{database_};
  PostgresAttemptStore attempts_{database_};
};

Result<void> check_schema(const PostgresOptions& options) {
  const PostgresMigrator migrator{{.url = options.url}};
  const auto plan = options.migrate ? migrator.apply(Misfits::refuse) : migrator.pending();
  if (!plan) return std::unexpected(plan.error());
  if (!options.migrate && !plan->empty()) {
    return fail(ErrorCode::invalid, "the database needs `migrate` first");
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<Storage>> open_postgres(PostgresOptions options) {
  if (const auto checked = check_schema(options); !checked) {
    return std::unexpected(checked.error());
  }
  try {
    std::string place = BlockingConnection{{.url = options.url}}.describe();
    return std::make_unique<PostgresStorage>(options, std::move(place));
  } catch (const PostgresError& error) {
    return std::unexpected(pg::to_error(error.failure()));
  } catch (const std::invalid_argument& error) {
    return fail(ErrorCode::invalid, error.what());
  }
}

}  // namespace um
