#include "storage/postgres/change_feed.hpp"

#include <algorithm>
#include <utility>

#include "async/backoff.hpp"
#include "base/random.hpp"
#include "storage/postgres/feed_queries.hpp"

namespace um {
namespace {

using namespace std::chrono_literals;
namespace feed_queries = postgres_feed_queries;

constexpr Backoff::Bounds kReconnect{.first = 50ms, .most = 1000ms};
constexpr std::int64_t kPurgeBatch = 1000;

// A version 4 UUID (RFC 9562, section 5.4).
std::string random_uuid() {
  std::string hex = random_hex(16);
  hex[12] = '4';
  hex[16] = "89ab"[hex[16] % 4];
  for (const std::size_t dash : {8U, 13U, 18U, 23U}) hex.insert(dash, 1, '-');
  return hex;
}

// Throws std::logic_error for an answer that the schema of this program cannot give.
PostgresPolls::Answer answer_of(const pg::Rows& rows, BootTime sent_at) {
  PostgresPolls::Answer answer{.sent_at = sent_at, .name_space = {}, .now = {}, .since = {}};
  const auto snapshot = [&](std::size_t row, std::size_t column) {
    auto parsed = parse_pg_snapshot(rows.text(row, column));
    if (!parsed) throw std::logic_error{"the server's snapshot cannot be read"};
    return std::move(*parsed);
  };
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const auto kind = rows.text(row, 0);
    if (kind == "change") {
      const auto xid = static_cast<Xid>(rows.integer(row, 1));
      answer.changes.push_back(
          {.xid = xid, .key = rows.null(row, 5) ? std::string{} : rows.bytes(row, 5)});
    } else if (kind == "hold") {
      answer.holds.push_back(rows.bytes(row, 5));
    } else {
      answer.name_space = rows.text_or_null(row, 1).value_or("");
      answer.now = snapshot(row, 2);
      answer.since = snapshot(row, 3);
      if (!rows.null(row, 4)) answer.horizon = snapshot(row, 4);
    }
  }
  return answer;
}

}  // namespace

PostgresChangeFeed::PostgresChangeFeed(Options options)
    : options_{std::move(options)},
      clock_{*options_.clock},
      stats_{feed_queries::kAll},
      connection_{interrupt_, clock_},
      polls_{options_.limits},
      registry_{{}} {}

PostgresChangeFeed::~PostgresChangeFeed() {
  stop();
}

void PostgresChangeFeed::start(ChangeListener& listener) {
  listener_ = &listener;
  thread_ = std::thread{[this] { loop(); }};
}

void PostgresChangeFeed::stop() {
  interrupt_.interrupt();
  if (thread_.joinable()) thread_.join();
  const std::scoped_lock lock{mutex_};
  listener_ = nullptr;
}

void PostgresChangeFeed::before_commit(std::span<const std::string> keys) {
  const std::scoped_lock lock{mutex_};
  if (listener_ != nullptr) listener_->hold(keys);
}

void PostgresChangeFeed::after_commit(std::span<const std::string> keys, std::optional<Xid> xid) {
  const std::scoped_lock lock{mutex_};
  if (listener_ == nullptr) return;
  if (xid) settled_.add(clock_.now(), keys);
  listener_->settle(keys, xid);
}

void PostgresChangeFeed::loop() {
  auto pause = std::chrono::nanoseconds{0};
  Backoff backoff{kReconnect};
  while (!interrupt_.interrupted()) {
    const BootTime began = clock_.now();
    if (!connection_.is_open() && !connect()) {
      interrupt_.sleep(backoff.pause(random_u64()));
      continue;
    }
    const pg::Outcome<void> done = round();
    if (!done) report(done.error());
    if (done) {
      if (std::exchange(troubled_, false) && options_.log) options_.log("the feed works again");
      backoff.succeeded();
      pause = options_.poll_interval - (clock_.now() - began);
    } else {
      connection_.close();
      pause = backoff.pause(random_u64());
    }
    interrupt_.sleep(std::max(pause, std::chrono::nanoseconds{1ms}));
  }
}

bool PostgresChangeFeed::connect() {
  polls_.connection_lost();
  const auto opened =
      connection_.open({.url = options_.url, .application_name = "user-manager feed"},
                       Deadline::after(clock_, options_.connect_time));
  if (!opened) {
    report(opened.error());
    return false;
  }
  const auto set_up = run(feed_queries::kSessionSettings, {});
  if (!set_up) {
    report(set_up.error());
    connection_.close();
  }
  return set_up.has_value();
}

void PostgresChangeFeed::report(const pg::Failure& failure) {
  if (interrupt_.interrupted() || std::exchange(troubled_, true) || !options_.log) return;
  options_.log("the feed of changes fails, memory will not answer: " + failure.message +
               (failure.sqlstate.empty() ? "" : " (" + failure.sqlstate + ")"));
}

pg::Outcome<pg::Rows> PostgresChangeFeed::run(const pg::Query& query, const pg::Params& params) {
  const BootTime began = clock_.now();
  auto rows = connection_.run(query, params, Deadline::after(clock_, options_.statement_time));
  if (auto* counters = stats_.find(query)) counters->add(clock_.now() - began, !rows);
  return rows;
}

pg::Outcome<void> PostgresChangeFeed::round() try {
  if (registry_.refresh_due(clock_.now())) {
    auto kept = keep_registered();
    if (!kept) return kept;
  }
  // Before the poll: an instance with a poll older than the first mark of a namespace has to flush
  // as soon as another instance purges.
  auto marked = take_mark();
  if (!marked) return marked;
  auto polled = poll();
  if (!polled) return polled;
  return purge();
} catch (const std::logic_error& error) {
  // The statement cannot have this result: the URL leads to something other than our database.
  return pg::failed({.kind = pg::Failure::refused, .message = error.what()});
}

pg::Outcome<void> PostgresChangeFeed::keep_registered() {
  const BootTime sent_at = clock_.now();
  if (registry_.registered()) {
    const auto refreshed = run(feed_queries::kRefresh, {registry_.id()});
    if (!refreshed) return pg::failed(refreshed.error());
    if (refreshed->affected() == 1) {
      registry_.refreshed(sent_at);
    } else {
      registry_.expelled();
      polls_.expelled();
      listener_->end_lease();
    }
  }
  if (!registry_.registered()) {
    std::string id = random_uuid();
    const auto registered = run(feed_queries::kRegister, {id});
    if (!registered) return pg::failed(registered.error());
    registry_.joined(std::move(id), sent_at);
  }
  unacknowledged_ = sent_at;
  const BootTime asked_at = clock_.now();
  const auto rows = run(feed_queries::kInstances, {});
  if (!rows) return pg::failed(rows.error());
  std::vector<PostgresRegistry::Instance> all;
  all.reserve(rows->size());
  for (std::size_t i = 0; i < rows->size(); ++i)
    all.push_back({.id = std::string{rows->text(i, 0)}, .refreshes = rows->integer(i, 1)});
  for (const auto& silent : registry_.silent(all, asked_at)) {
    const auto expelled = run(feed_queries::kExpel, {silent.id, silent.refreshes});
    if (!expelled) return pg::failed(expelled.error());
  }
  return {};
}

pg::Outcome<void> PostgresChangeFeed::poll() {
  const PostgresPolls::Question question = polls_.next();
  pg::Params params;
  if (question.since)
    params.add(pg_snapshot_text(*question.since));
  else
    params.add(std::nullopt);
  params.add(question.limit);
  const BootTime sent_at = clock_.now();
  const auto rows = run(feed_queries::kPoll, params);
  if (!rows) return pg::failed(rows.error());
  const PostgresPolls::Answer answer = answer_of(*rows, sent_at);
  if (answer.name_space.empty()) return repair_namespace();
  apply(answer);
  return {};
}

// After a crash PostgreSQL assigns some transaction ids again. The incarnation shows it: a crash
// empties its table, which gets a new row here. Nothing is applied until a poll finds a namespace,
// so the lease ends.
pg::Outcome<void> PostgresChangeFeed::repair_namespace() {
  polls_.connection_lost();
  const auto repaired = run(feed_queries::kRepair, {});
  if (!repaired) return pg::failed(repaired.error());
  if (repaired->empty() || repaired->null(0, 0)) return {};
  return pg::failed({.kind = pg::Failure::refused, .message = std::string{repaired->text(0, 0)}});
}

void PostgresChangeFeed::apply(const PostgresPolls::Answer& answer) {
  if (polls_.is_elsewhere(answer) && options_.on_new_namespace) options_.on_new_namespace();
  const std::vector<std::string> held_before = std::exchange(held_again_, {});
  Leftovers leftovers;  // freed after the lock was released: event loops take it around a COMMIT
  {
    std::unique_lock lock{mutex_};
    settled_.forget_until(answer.sent_at);
    if (polls_.starts_over(answer)) {
      if (!settled_.complete_since(answer.sent_at)) {
        held_again_ = held_before;
        return;  // the next poll is sent later
      }
      held_again_ = settled_.keys();
      if (!held_again_.empty()) listener_->hold(held_again_);
    } else {
      lock.unlock();  // the log is kept, so own writes may settle meanwhile
    }
    Poll news = polls_.take(answer);
    news.received_at = clock_.now();
    leftovers = listener_->apply(news);
  }
  if (!held_before.empty()) listener_->settle(held_before, std::nullopt);
  if (const auto sent_at = std::exchange(unacknowledged_, std::nullopt))
    listener_->acknowledge_refresh(*sent_at);
}

pg::Outcome<void> PostgresChangeFeed::take_mark() {
  const BootTime now = clock_.now();
  if (now < next_mark_) return {};
  next_mark_ = now + options_.mark_every;
  purging_ = true;
  const auto marked = run(feed_queries::kMark, {});
  return marked ? pg::Outcome<void>{} : pg::failed(marked.error());
}

pg::Outcome<void> PostgresChangeFeed::purge() {
  if (!purging_) return {};
  const auto purged = run(feed_queries::kPurge, {kPurgeBatch});
  if (!purged) return pg::failed(purged.error());
  purging_ = purged->integer(0, 0) >= kPurgeBatch;
  return {};
}

}  // namespace um
