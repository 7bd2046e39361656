#include "storage/postgres/database.hpp"

#include <algorithm>

#include "async/backoff.hpp"
#include "async/pause.hpp"
#include "base/random.hpp"
#include "storage/postgres/queries.hpp"
#include "storage/rules.hpp"

namespace um {

namespace {

// Appendix A of the PostgreSQL documentation.
constexpr std::string_view kUniqueViolation = "23505";
constexpr std::string_view kForeignKeyViolation = "23503";
constexpr std::string_view kCheckViolation = "23514";
constexpr std::string_view kReadOnly = "25006";
constexpr std::string_view kDiskFull = "53100";
constexpr std::string_view kUndefinedTable = "42P01";
constexpr std::string_view kUndefinedFunction = "42883";
constexpr std::string_view kUndefinedColumn = "42703";
constexpr std::string_view kNoPrivilege = "42501";
constexpr std::string_view kDataException = "22";  // the class: bad UTF-8, bad JSON, out of range

// Between two look-ups of the status of a transaction that may have been committed.
constexpr Backoff::Bounds kFatePause{.first = std::chrono::milliseconds{10},
                                     .most = std::chrono::milliseconds{160}};

// Of many simultaneous changes of one row, one wins each round.
constexpr int kMaxAttempts = 50;
constexpr Backoff::Bounds kBetweenAttempts{.first = std::chrono::microseconds{312},
                                           .most = std::chrono::milliseconds{40}};

// SQLSTATE of public.keep_an_admin().
constexpr std::string_view kLastAdmin = "UM006";

Error taken(std::string_view constraint) {
  if (constraint == "users_email") return rules::email_taken();
  if (constraint == "users_username") return rules::username_taken();
  if (constraint == "users_pkey") return rules::id_taken();
  if (constraint == "signing_keys_kid") {
    return {.code = ErrorCode::conflict, .detail = "this key was used before"};
  }
  return {.code = ErrorCode::conflict, .detail = "something with this name exists"};
}

bool schema_is_missing(std::string_view state) {
  return state == kUndefinedTable || state == kUndefinedFunction || state == kUndefinedColumn;
}

pg::Options client_options(const PostgresOptions& options) {
  pg::Options client;
  client.url = options.url;
  client.application_name = "user-manager";
  client.on_connect = {postgres_queries::kSessionSettings, postgres_queries::kSessionNote};
  client.look_up_connections = options.look_up_connections;
  client.scan_connections = options.scan_connections;
  client.transaction_connections = options.write_connections;
  client.look_up_timeout = options.look_up_timeout;
  client.statement_timeout = options.statement_timeout;
  client.queries.assign(postgres_queries::kAll.begin(), postgres_queries::kAll.end());
  client.log = options.log;
  return client;
}

template <class T>
Result<T> translated(pg::Outcome<T> outcome) {
  if (outcome) return std::move(*outcome);
  return std::unexpected(postgres_error(outcome.error()));
}

}  // namespace

Error postgres_error(const pg::Failure& failure) {
  const std::string_view state = failure.sqlstate;
  if (failure.kind != pg::Failure::refused) return pg::to_error(failure);
  if (state == kUniqueViolation) return taken(failure.constraint);
  if (state == kLastAdmin) return rules::last_admin();
  if (state == kForeignKeyViolation) return rules::no_such_user();
  if (state == kCheckViolation) {
    return {.code = ErrorCode::invalid,
            .detail = "a value breaks the rule " + failure.constraint + " of the database"};
  }
  if (state.starts_with(kDataException)) {
    return {.code = ErrorCode::invalid,
            .detail = "the database cannot store a value (SQLSTATE " + failure.sqlstate + ")"};
  }
  if (state == kReadOnly) return unavailable("the database accepts no writes now");
  if (state == kDiskFull) return unavailable("the disk of the database is full");
  if (schema_is_missing(state)) return unavailable("the database needs `migrate` first");
  if (state == kNoPrivilege) {
    return unavailable("the database role lacks a privilege (SQLSTATE 42501)");
  }
  return pg::to_error(failure);
}

Error outdated_deployment() {
  return unavailable(
      "the settings of the deployment were changed; this instance has to be restarted");
}

Task<Result<pg::Rows>> PostgresWrite::run(const pg::Query& query, pg::Params params) {
  auto outcome = co_await transaction_.run(query, std::move(params));
  if (outcome) note_ = outcome->session_note();
  co_return translated(std::move(outcome));
}

Task<Result<std::vector<pg::Rows>>> PostgresWrite::run_all(std::vector<pg::Statement> statements) {
  auto outcome = co_await transaction_.run_all(std::move(statements));
  if (outcome && !outcome->empty()) note_ = outcome->back().session_note();
  co_return translated(std::move(outcome));
}

void PostgresWrite::is_transaction(const pg::Rows& rows, Cell at) {
  xid_ = static_cast<Xid>(rows.integer(at.row, at.column));
}

void PostgresDatabase::Announcement::begin(PostgresWrite& write) {
  keys_.assign(std::make_move_iterator(write.keys_.begin()),
               std::make_move_iterator(write.keys_.end()));
  xid_ = write.xid_;
  note_ = write.note_;
  if (keys_.empty()) return;
  observer_.before_commit(keys_);
  open_ = true;
}

void PostgresDatabase::Announcement::end(std::optional<Xid> xid) {
  if (!std::exchange(open_, false)) return;
  using WriteEnd = PostgresWriteObserver::WriteEnd;
  if (!xid) return observer_.after_commit(keys_, {});
  observer_.after_commit(
      keys_,
      {.fate = WriteEnd::Fate::committed, .xid = *xid, .tau = note_ ? tau_of(*note_) : Tau{}});
}

PostgresDatabase::PostgresDatabase(const PostgresOptions& options, PostgresWriteObserver& observer,
                                   PostgresStrictWrites::Options strict)
    : clock_{*options.clock},
      outcome_patience_{options.outcome_patience},
      observer_{observer},
      client_{client_options(options), options.loops},
      strict_{{.client = client_, .observer = observer, .clock = clock_}, std::move(strict)} {}

// Full jitter: changes that lost to the same one do not all come back at the same moment.
Backoff PostgresDatabase::between_attempts() {
  return Backoff{kBetweenAttempts, Backoff::Jitter::full};
}

Task<bool> PostgresDatabase::pause_before(int attempt, Backoff& backoff, Deadline deadline) {
  if (attempt >= kMaxAttempts) co_return false;
  const std::chrono::nanoseconds time = backoff.pause(random_u64());
  if (deadline.passed(BootClock::now() + time)) co_return false;
  if (time.count() > 0) co_await pause(time);
  co_return true;
}

Task<bool> PostgresDatabase::confirm_commits(Deadline deadline) {
  const auto confirmed = co_await client_.write(postgres_queries::kConfirmCommits, {}, deadline);
  co_return confirmed.has_value();
}

Task<Result<pg::Rows>> PostgresDatabase::look_up(const pg::Query& query, pg::Params params,
                                                 Deadline deadline) {
  auto outcome = co_await client_.look_up(query, std::move(params), deadline);
  co_return translated(std::move(outcome));
}

Task<Result<pg::Rows>> PostgresDatabase::scan(const pg::Query& query, pg::Params params,
                                              Deadline deadline) {
  auto outcome = co_await client_.scan(query, std::move(params), deadline);
  co_return translated(std::move(outcome));
}

Task<Result<pg::Rows>> PostgresDatabase::change(const pg::Query& query, pg::Params params,
                                                Deadline deadline) {
  counters_.writes.add();
  auto outcome = co_await client_.write(query, std::move(params), deadline);
  if (outcome) counters_.commits.add();
  co_return translated(std::move(outcome));
}

Task<TransactionFate> look_at_fate(pg::Client& client, Xid xid, std::string name_space,
                                   Deadline deadline) {
  const auto rows = co_await client.look_up(postgres_queries::kTransactionStatus,
                                            {std::to_string(xid)}, deadline);
  if (!rows) {
    co_return rows.error().kind == pg::Failure::refused ? TransactionFate::unknown
                                                        : TransactionFate::running;
  }
  const auto& now = rows->session_note();
  if (!now || *now != name_space || rows->null(0, 0)) co_return TransactionFate::unknown;
  const std::string_view status = rows->text(0, 0);
  if (status == "committed") co_return TransactionFate::committed;
  if (status == "aborted") co_return TransactionFate::not_committed;
  co_return TransactionFate::running;
}

Deadline patience_for_outcome(Deadline deadline, std::chrono::nanoseconds patience) {
  const BootTime least = BootClock::now() + patience;
  return {std::max(std::min(deadline.at, least + patience), least)};
}

Task<TransactionFate> PostgresDatabase::fate_of(Xid xid, pg::Rows::Note note, Deadline deadline) {
  const Deadline until = patience_for_outcome(deadline, outcome_patience_);
  auto fate = note ? TransactionFate::running : TransactionFate::unknown;
  Backoff backoff{kFatePause};
  while (fate == TransactionFate::running && !until.passed(BootClock::now())) {
    fate = co_await look_at_fate(client_, xid, *note, until);
    if (fate == TransactionFate::running) co_await pause(backoff.pause(random_u64()));
  }
  co_return fate;
}

Stamp PostgresDatabase::stamp_of(const pg::Rows& rows) const {
  const auto snapshot = parse_pg_snapshot(rows.text(0, 0));
  const auto& name_space = rows.session_note();
  // Without a namespace (a standby, no incarnation) nothing may be cached: Tau{} is never admitted.
  if (!snapshot || !name_space) return {.tau = {}, .snapshot = snapshot.value_or(Snapshot{})};
  return {.tau = tau_of(*name_space), .snapshot = *snapshot};
}

StorageStats PostgresDatabase::stats() const {
  StorageStats stats{read_counters(counters_)};
  stats.client = published(strict_.stats());
  stats.strict_waits = report_of(strict_.waits());
  stats.slowest_instances = strict_.slowest();
  for (const auto& [query, counters] : client_.query_stats().all()) {
    stats.queries[std::string{query->name}] = report_of(counters);
  }
  const pg::Stats client = client_.stats();
  stats.write_queue = client.transactions.waiting;
  stats.read_queue = client.look_ups.waiting + client.scans.waiting;
  stats.refused =
      client.look_ups.overloaded + client.scans.overloaded + client.transactions.overloaded;
  for (const auto& [pool, name] :
       {std::pair{&client.look_ups, "look_ups"}, std::pair{&client.scans, "scans"},
        std::pair{&client.transactions, "transactions"}}) {
    const auto numbers = published(*pool, {"pool", name});
    stats.client.insert(stats.client.end(), numbers.begin(), numbers.end());
  }
  return stats;
}

}  // namespace um
