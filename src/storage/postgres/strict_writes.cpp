#include "storage/postgres/strict_writes.hpp"

#include <algorithm>
#include <utility>

#include "async/backoff.hpp"
#include "async/pause.hpp"
#include "base/random.hpp"
#include "storage/postgres/database.hpp"
#include "storage/postgres/lost_commit.hpp"
#include "storage/postgres/queries.hpp"
#include "storage/postgres/rows.hpp"

namespace um {

namespace {

namespace queries = postgres_queries;
using namespace std::chrono_literals;
using Way = StrictWrite::Way;
using WriteEnd = PostgresWriteObserver::WriteEnd;

// The clock of the deadlines of the driver, which is not the clock of the feed in every test.
const SystemClock kDriverClock{};

// SQLSTATEs of public.strict_gate() and of the statements behind it.
constexpr std::string_view kOtherEpoch = "UM001";
constexpr std::string_view kHoldIsGone = "UM002";
constexpr std::string_view kNotYet = "UM003";
constexpr std::string_view kOutsideTheHold = "UM004";
constexpr std::string_view kLostRace = "UM005";
constexpr std::string_view kLockNotAvailable = "55P03";

// Longer than the server may take for an A that nobody waits for any more.
constexpr std::chrono::seconds kLatestPlacing{5};

// Instances with a metric of their own; a name changes with the address that an instance listens
// on.
constexpr std::size_t kNamedInstances = 64;

// Between two looks at something that changes soon: the namespace, the outcome of a transaction.
constexpr Backoff::Bounds kSoon{.first = 10ms, .most = 160ms};

constexpr bool has_hold(Way way) {
  return way == Way::acknowledged || way == Way::waited;
}

// The text form of an array of bytea.
std::string key_array(const auto& keys) {
  std::vector<std::string> hex;
  hex.reserve(keys.size());
  for (const std::string& key : keys) hex.push_back("\\x" + hex_text(key));
  return pg::text_array(hex);
}

Result<AckBoard> board_of(const pg::Rows& rows) {
  AckBoard board;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    std::string id{rows.text(row, 0)};
    if (rows.null(row, 1)) {
      board.instances.push_back({.id = std::move(id), .name = std::string{rows.text(row, 3)}});
      continue;
    }
    auto seen = parse_pg_snapshot(rows.text(row, 2));
    if (!seen) return fail(ErrorCode::internal, "an acknowledgement cannot be read");
    board.acks.push_back({.instance = std::move(id),
                          .xid = static_cast<Xid>(rows.integer(row, 1)),
                          .seen = std::move(*seen)});
  }
  return board;
}

// B's id, if the gate answered before the failure.
std::optional<Xid> xid_of(const pg::BatchOutcome& failed) {
  if (!failed.first || failed.first->empty()) return std::nullopt;
  return static_cast<Xid>(failed.first->integer(0, 0));
}

WriteEnd perhaps_committed(const pg::BatchOutcome& failed, const StrictTerms& terms) {
  return {.fate = WriteEnd::Fate::committed,
          .xid = xid_of(failed).value_or(0),
          .tau = tau_of(terms.name_space)};
}

}  // namespace

PostgresStrictWrites::PostgresStrictWrites(Parts parts, Options options)
    : parts_{parts},
      options_{std::move(options)},
      room_{kDriverClock},
      placing_{{}, kDriverClock} {}

Task<Result<StrictTerms>> PostgresStrictWrites::terms(Deadline deadline) {
  if (auto terms = parts_.observer.terms()) co_return std::move(*terms);
  {
    const std::scoped_lock lock{mutex_};
    if (own_terms_) co_return *own_terms_;
  }
  const auto rows = co_await parts_.client.look_up(queries::kDeploymentTerms, {}, deadline);
  if (!rows) co_return std::unexpected(postgres_error(rows.error()));
  if (rows->empty() || rows->null(0, 0))
    co_return fail(unavailable("the database has no namespace at the moment"));
  const auto bound =
      std::max(CacheTimes::ms{rows->integer(0, 3)}, CacheTimes::ms{rows->integer(0, 4)});
  StrictTerms terms{.name_space = std::string{rows->text(0, 0)},
                    .epoch = rows->integer(0, 1),
                    .mode = consistency_of(rows->text(0, 2)),
                    .longest_lease = longest_lease(bound)};
  const std::scoped_lock lock{mutex_};
  own_terms_ = terms;
  co_return terms;
}

void PostgresStrictWrites::forget_own_terms() {
  const std::scoped_lock lock{mutex_};
  own_terms_.reset();
}

BootTime PostgresStrictWrites::now(const StrictTerms& terms) const {
  return terms.first_seen ? parts_.clock.now() : kDriverClock.now();
}

Task<PostgresStrictWrites::Placing::Answers> PostgresStrictWrites::place(
    const Placing::Items& items, Deadline deadline) {
  std::vector<std::string> ids;
  std::vector<std::string> keys;
  for (const Placement& item : items) {
    ids.insert(ids.end(), item.keys.size(), item.hold_id);
    keys.insert(keys.end(), item.keys.begin(), item.keys.end());
  }
  auto rows = co_await parts_.client.write(
      queries::kPlaceHolds, pg::Params{pg::text_array(ids), key_array(keys)}, deadline);
  if (!rows) {
    // Perhaps the holds are there; nothing that the caller asked for is.
    pg::Failure failure = rows.error();
    if (failure.kind == pg::Failure::unknown_outcome) failure.kind = pg::Failure::lost;
    co_return Placing::Answers(items.size(), std::unexpected(postgres_error(failure)));
  }
  const auto& note = rows->session_note();
  const Placed placed{.xid = static_cast<Xid>(rows->integer(0, 0)),
                      .name_space = note ? *note : std::string{}};
  if (options_.wake) options_.wake();
  co_return Placing::Answers(items.size(), placed);
}

Task<Result<AckBoard>> PostgresStrictWrites::ask(Xid after, Deadline deadline) {
  const auto rows =
      co_await parts_.client.look_up(queries::kAckBoard, {std::to_string(after)}, deadline);
  if (!rows) co_return std::unexpected(postgres_error(rows.error()));
  co_return board_of(*rows);
}

Task<Result<bool>> PostgresStrictWrites::has_ended(int server_process, std::string name_space,
                                                   Deadline deadline) {
  const auto rows =
      co_await parts_.client.look_up(queries::kServerProcess, {server_process}, deadline);
  if (!rows) co_return std::unexpected(postgres_error(rows.error()));
  // A connection that was opened while there was no namespace cannot tell which server it asks.
  const auto& note = rows->session_note();
  if (!note) co_return false;
  // A new epoch ends no connection, so it says nothing about the process.
  const bool same_server = server_of(*note) == server_of(name_space);
  co_return !same_server || !rows->boolean(0, 0);
}

void PostgresStrictWrites::abandon(std::string hold_id, bool placed) {
  counters_.abandoned.add();
  const std::scoped_lock lock{mutex_};
  if (!placed) late_.push_back({.when = kDriverClock.now() + kLatestPlacing, .id = hold_id});
  abandoned_.push_back(std::move(hold_id));
}

void PostgresStrictWrites::note_slowest(const std::vector<AckBoard::Instance>& slowest) {
  const std::scoped_lock lock{mutex_};
  for (const AckBoard::Instance& instance : slowest) {
    const bool room = slowest_.size() < kNamedInstances || slowest_.contains(instance.name);
    ++slowest_[room ? instance.name : "others"];
  }
}

std::map<std::string, std::uint64_t> PostgresStrictWrites::slowest() const {
  const std::scoped_lock lock{mutex_};
  return slowest_;
}

bool PostgresStrictWrites::is_untidy() const {
  const std::scoped_lock lock{mutex_};
  return !abandoned_.empty() || !unsettled_.empty() ||
         (!late_.empty() && late_.front().when <= kDriverClock.now());
}

Task<void> PostgresStrictWrites::tidy_up(Deadline deadline) {
  std::vector<std::string> holds;
  std::vector<Unsettled> unsettled;
  {
    const std::scoped_lock lock{mutex_};
    holds.swap(abandoned_);
    const auto due = std::ranges::find_if(
        late_, [now = kDriverClock.now()](const LateHold& hold) { return hold.when > now; });
    for (auto hold = late_.begin(); hold != due; ++hold) holds.push_back(std::move(hold->id));
    late_.erase(late_.begin(), due);
    unsettled.swap(unsettled_);
  }
  if (!holds.empty()) {
    const auto dropped =
        co_await parts_.client.write(queries::kDropHolds, {pg::text_array(holds)}, deadline);
    if (!dropped) {
      const std::scoped_lock lock{mutex_};
      abandoned_.insert(abandoned_.end(), holds.begin(), holds.end());
    }
  }
  for (Unsettled& write : unsettled) {
    const Result<bool> ended = co_await has_ended(write.server_process, write.name_space, deadline);
    if (ended && *ended) {
      parts_.observer.after_commit(write.keys, {.fate = WriteEnd::Fate::unknown});
      continue;
    }
    const std::scoped_lock lock{mutex_};
    unsettled_.push_back(std::move(write));
  }
}

// The keys are held locally from before B's packet is sent until its end is known.
class PostgresStrictWrites::Write::Announcement {
 public:
  Announcement(PostgresStrictWrites& shared, const std::set<std::string>& keys)
      : shared_{shared}, keys_{keys.begin(), keys.end()} {
    shared_.parts_.observer.before_commit(keys_);
  }
  Announcement(const Announcement&) = delete;
  Announcement& operator=(const Announcement&) = delete;
  // A coroutine that was destroyed does not know how its transaction ends: the process is stopping.
  ~Announcement() {
    if (open_) shared_.parts_.observer.after_commit(keys_, {.fate = WriteEnd::Fate::unknown});
  }
  void end(const WriteEnd& how) {
    open_ = false;
    shared_.parts_.observer.after_commit(keys_, how);
  }
  // The server may still be running it: the keys stay held until tidy_up() knows that it has ended.
  void leave(int server_process, const std::string& name_space) {
    open_ = false;
    const std::scoped_lock lock{shared_.mutex_};
    shared_.unsettled_.push_back({keys_, server_process, name_space});
  }

 private:
  PostgresStrictWrites& shared_;
  const std::vector<std::string> keys_;
  bool open_ = true;
};

PostgresStrictWrites::Write::Write(PostgresStrictWrites& shared, Deadline deadline)
    : shared_{shared}, deadline_{deadline}, steps_{[begin = shared.options_.own_holds] {
        return begin + random_uuid().substr(begin.size());
      }} {}

PostgresStrictWrites::Write::~Write() {
  if (!remaining_hold_.empty()) shared_.abandon(remaining_hold_, placed_);
}

auto PostgresStrictWrites::Write::commit(std::set<std::string> keys,
                                         std::vector<pg::Statement> statements)
    -> Task<Result<Attempt>> {
  using Act = StrictWrite::Step::Act;
  Backoff backoff{kSoon};
  while (!deadline_.passed(kDriverClock.now())) {
    const Result<StrictTerms> terms = co_await shared_.terms(deadline_);
    if (!terms) co_return std::unexpected(terms.error());
    StrictWrite::Step step = steps_.next(*terms, keys, shared_.now(*terms));
    if (step.act == Act::refuse) co_return fail(outdated_deployment());
    if (step.act != Act::commit) {
      if (!guest_) guest_.emplace(shared_.room_);
      Result<void> done;
      if (step.act == Act::place)
        done = co_await place(std::move(step.keys), *terms);
      else
        done = co_await wait(step.until, *terms);
      if (!done) co_return std::unexpected(done.error());
      continue;
    }
    Result<std::optional<Attempt>> done = co_await attempt(keys, statements, *terms, step.way);
    if (!done) co_return std::unexpected(done.error());
    if (*done) co_return std::move(**done);
    // The gate said: not like this. Most reasons are gone at the next step, and a namespace that
    // only the database knows so far at the next poll.
    if (step.way == Way::waited || elsewhere_) co_await pause(backoff.pause(random_u64()));
  }
  co_return fail(Error{.code = ErrorCode::timeout,
                       .detail = "the other instances did not answer in time",
                       .retry_after = std::chrono::seconds{1}});
}

// A.
Task<Result<void>> PostgresStrictWrites::Write::place(std::vector<std::string> keys,
                                                      const StrictTerms& terms) {
  // A hold of a former namespace may have outlived it: a clean restart empties no table.
  if (!remaining_hold_.empty() && remaining_hold_ != steps_.hold_id())
    shared_.abandon(remaining_hold_, placed_);
  remaining_hold_ = steps_.hold_id();
  placed_ = false;
  auto write = [this](const Placing::Items& items, Deadline deadline) {
    return shared_.place(items, deadline);
  };
  Placement placement{.hold_id = steps_.hold_id(), .keys = keys};
  const Result<Placed> placed =
      co_await shared_.placing_.add(std::move(placement), deadline_, write);
  if (!placed) co_return std::unexpected(placed.error());
  placed_ = true;
  steps_.placed(keys, placed->xid, shared_.now(terms), placed->name_space);
  if (placed->name_space != terms.name_space) {
    shared_.forget_own_terms();
    co_await pause(kSoon.first);  // until the next poll shows it, too
  }
  co_return Result<void>{};
}

// W.
Task<Result<void>> PostgresStrictWrites::Write::wait(BootTime until, const StrictTerms& terms) {
  const BootTime began = kDriverClock.now();
  if (!terms.first_seen) {  // a process without a feed hears nothing
    if (deadline_.passed(until))
      co_return fail(Error{.code = ErrorCode::timeout, .detail = "no time to wait for others"});
    co_await pause(until - shared_.now(terms));
  } else {
    auto ask = [this](Xid after) { return shared_.ask(after, deadline_); };
    auto own = [&observer = shared_.parts_.observer]() -> std::optional<std::string> {
      const auto present = observer.terms();
      return present ? present->instance : std::nullopt;
    };
    AckRoom::Guest::Wait request{.own = std::move(own),
                                 .holds = steps_.hold_xids(),
                                 .until = std::min(until, deadline_.at),
                                 .ask_every = shared_.options_.ask_every};
    shared_.counters_.in_wait.add();
    const AckRoom::Guest::End end = co_await guest_->wait(std::move(request), ask);
    shared_.counters_.in_wait.remove();
    if (end.everybody) steps_.acknowledged();
    shared_.note_slowest(end.slowest);
  }
  shared_.waits_.add(kDriverClock.now() - began, false);
  co_return Result<void>{};
}

void PostgresStrictWrites::Write::committed(Way way) {
  remaining_hold_.clear();
  shared_.counters_.committed[static_cast<std::size_t>(way)].add();
}

// B. nullopt: rolled back before the change, and another step may succeed.
auto PostgresStrictWrites::Write::attempt(const std::set<std::string>& keys,
                                          const std::vector<pg::Statement>& statements,
                                          const StrictTerms& terms, Way way)
    -> Task<Result<std::optional<Attempt>>> {
  pg::Batch batch{.required_note = std::make_shared<const std::string>(terms.name_space)};
  std::optional<std::string> hold;
  if (has_hold(way)) hold = steps_.hold_id();
  const std::set<std::string>& held = hold ? steps_.held_keys() : keys;
  const std::vector<std::string> held_keys{held.begin(), held.end()};
  batch.statements.push_back(
      {.query = &queries::kStrictGate,
       .params = {StrictWrite::kWayNames[static_cast<std::size_t>(way)], hold,
                  pg::text_array(held_keys), terms.instance, terms.epoch}});
  batch.statements.insert(batch.statements.end(), statements.begin(), statements.end());

  Announcement announcement{shared_, held};
  pg::BatchOutcome made = co_await shared_.parts_.client.batch(std::move(batch), deadline_);
  if (made.rows) {
    const auto xid = static_cast<Xid>(made.rows->front().integer(0, 0));
    announcement.end(
        {.fate = WriteEnd::Fate::committed, .xid = xid, .tau = tau_of(terms.name_space)});
    committed(way);
    // The instances follow within T: what a command prints afterwards is true.
    if (way == Way::bounded && !shared_.parts_.observer.follows())
      co_await pause(terms.longest_lease);
    RowsOf rows{std::make_move_iterator(made.rows->begin() + 1),
                std::make_move_iterator(made.rows->end())};
    co_return Attempt{.end = Attempt::End::committed, .rows = std::move(rows)};
  }
  const pg::Failure& failure = made.rows.error();
  if (failure.kind == pg::Failure::unknown_outcome) {
    auto ended = co_await after_loss(announcement, std::move(made), terms, way);
    co_return ended;
  }
  // Everybody sees the change, and a failover may undo it: neither a success nor a failure.
  if (failure.kind == pg::Failure::not_replicated) {
    announcement.end(perhaps_committed(made, terms));
    remaining_hold_.clear();
    shared_.counters_.unknown.add();
    co_return std::unexpected(postgres_error(failure));
  }
  announcement.end({});
  elsewhere_ = failure.kind == pg::Failure::elsewhere || failure.sqlstate == kOtherEpoch;
  if (elsewhere_) {
    shared_.forget_own_terms();
    co_return std::nullopt;
  }
  if (failure.sqlstate == kHoldIsGone) {
    shared_.counters_.lost_holds.add();
    steps_.gate_lost_the_hold();
    co_return std::nullopt;
  }
  if (failure.sqlstate == kNotYet || (way == Way::alone && failure.sqlstate == kLockNotAvailable)) {
    shared_.counters_.not_yet.add();
    steps_.gate_not_yet(way);
    if (way == Way::alone) shared_.parts_.observer.note_company();
    co_return std::nullopt;
  }
  // The row had other keys than the plan knew; if the next plan has the same ones, it is wrong.
  if (failure.sqlstate == kOutsideTheHold && std::exchange(refused_keys_, keys) == keys) {
    co_return fail(ErrorCode::internal,
                   "a write touches a cache key that it does not hold (SQLSTATE UM004)");
  }
  if (failure.sqlstate == kLostRace || failure.sqlstate == kOutsideTheHold) {
    shared_.counters_.lost_races.add();
    co_return Attempt{.end = Attempt::End::plan_again};
  }
  co_return std::unexpected(postgres_error(failure));
}

// The connection was lost while B was under way: finds out how it ended.
auto PostgresStrictWrites::Write::after_loss(Announcement& announcement, pg::BatchOutcome lost,
                                             const StrictTerms& terms, Way way)
    -> Task<Result<std::optional<Attempt>>> {
  using Ask = LostCommit::Ask;
  using End = LostCommit::End;
  pg::Client& client = shared_.parts_.client;
  const Deadline until = patience_for_outcome(deadline_, shared_.options_.outcome_patience);
  const std::optional<Xid> xid = xid_of(lost);
  LostCommit commit{{.held_keys = has_hold(way) ? steps_.held_keys().size() : 0,
                     .xid = xid,
                     .server_process = lost.server_process != 0}};
  Backoff backoff{kSoon};
  for (Ask ask = commit.next(); ask != Ask::nothing && !until.passed(kDriverClock.now());
       ask = commit.next()) {
    if (ask == Ask::withdraw_hold) {
      const auto rows = co_await client.write(queries::kWithdrawHold, {steps_.hold_id()}, until);
      if (rows) commit.withdrawn(static_cast<std::size_t>(rows->integer(0, 0)));
    } else if (ask == Ask::fate) {
      commit.fate_is(co_await look_at_fate(client, *xid, terms.name_space, until));
    } else if (ask == Ask::server_process) {
      const Result<bool> ended =
          co_await shared_.has_ended(lost.server_process, terms.name_space, until);
      if (ended && *ended) commit.server_process_has_ended();
    } else {
      co_await pause(backoff.pause(random_u64()));
    }
  }
  // A hold that could not be removed is dropped later: if B has not used it, B cannot commit then.
  if (commit.hold_is_gone()) remaining_hold_.clear();
  switch (commit.end()) {
    case End::committed:
      announcement.end(perhaps_committed(lost, terms));
      committed(way);
      co_return Attempt{.end = Attempt::End::committed_unheard};
    case End::not_committed:
      announcement.end({});
      co_return std::unexpected(postgres_error({.kind = pg::Failure::lost}));
    case End::ended:
      announcement.end({.fate = WriteEnd::Fate::unknown});
      co_return Attempt{.end = Attempt::End::ended_unheard};
    case End::unknown:
      announcement.end(perhaps_committed(lost, terms));
      break;
    case End::running:
      announcement.leave(lost.server_process, terms.name_space);
      break;
  }
  shared_.counters_.unknown.add();
  co_return std::unexpected(postgres_error(lost.rows.error()));
}

}  // namespace um
