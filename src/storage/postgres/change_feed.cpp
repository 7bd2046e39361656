#include "storage/postgres/change_feed.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "async/backoff.hpp"
#include "base/random.hpp"
#include "storage/postgres/feed_queries.hpp"
#include "storage/postgres/rows.hpp"

namespace um {
namespace {

using namespace std::chrono_literals;
namespace feed_queries = postgres_feed_queries;

constexpr Backoff::Bounds kReconnect{.first = 50ms, .most = 1000ms};
// Longer than the server's limit, so that the server's answer arrives.
constexpr std::chrono::milliseconds kStatementMargin{200};
constexpr std::chrono::milliseconds kGoodbyeTime{500};
// Acknowledges holds.
constexpr std::int64_t kProtocol = 1;

// A wait for a lock or for time ended the statement, not the connection. What is written for the
// registry may be refused for longer (a full disk), which is no reason to stop polling.
bool may_try_again(FeedSteps::Act act, const pg::Failure& failure) {
  using Act = FeedSteps::Act;
  if (failure.sqlstate == "55P03" || failure.sqlstate == "57014" || pg::worth_repeating(failure))
    return true;
  const bool writes = act == Act::join || act == Act::acknowledge || act == Act::refresh;
  return writes && failure.kind == pg::Failure::refused;
}

std::string_view what_fails(FeedSteps::Act act) {
  using Act = FeedSteps::Act;
  switch (act) {
    case Act::join:
      return "this instance cannot join the registry";
    case Act::acknowledge:
      return "this instance cannot acknowledge holds, strict writes have to wait for it";
    case Act::refresh:
      return "this instance cannot refresh its row in the registry";
    default:
      return "the feed of changes fails, memory will not answer";
  }
}

FeedSteps::Settings settings_of(std::string_view text) {
  FeedSteps::Settings settings;
  std::vector<std::string_view> words;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    words.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  if (words.size() != 7) throw std::logic_error{"the settings of the deployment cannot be read"};
  const auto number = [&](std::size_t i) {
    std::int64_t value = 0;
    std::from_chars(words[i].data(), words[i].data() + words[i].size(), value);
    return value;
  };
  settings.epoch = number(0);
  settings.times = {.mode = consistency_of(words[1]),
                    .staleness_bound = CacheTimes::ms{number(2)},
                    .instance_lease = CacheTimes::ms{number(3)},
                    .instance_reap = CacheTimes::ms{number(4)},
                    .change_retention = CacheTimes::ms{number(5)}};
  settings.former_bound = CacheTimes::ms{number(6)};
  return settings;
}

struct Parsed {
  PostgresPolls::Answer answer;
  FeedSteps::Settings settings{};
  std::int64_t process = 0;
};

// Throws std::logic_error for an answer that the schema of this program cannot give.
Parsed parse(const pg::Rows& rows, BootTime sent_at) {
  Parsed parsed{.answer = {.sent_at = sent_at, .name_space = {}, .now = {}, .since = {}}};
  PostgresPolls::Answer& answer = parsed.answer;
  const auto snapshot = [&](std::size_t row, std::size_t column) {
    auto read = parse_pg_snapshot(rows.text(row, column));
    if (!read) throw std::logic_error{"the server's snapshot cannot be read"};
    return std::move(*read);
  };
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const auto kind = rows.text(row, 0);
    if (kind == "change") {
      const auto xid = static_cast<Xid>(rows.integer(row, 1));
      answer.changes.push_back(
          {.xid = xid, .key = rows.null(row, 5) ? std::string{} : rows.bytes(row, 5)});
    } else if (kind == "hold") {
      answer.holds.push_back({.id = std::string{rows.text(row, 1)}, .key = rows.bytes(row, 5)});
    } else {
      answer.name_space = rows.text_or_null(row, 1).value_or("");
      answer.now = snapshot(row, 2);
      answer.since = snapshot(row, 3);
      if (!rows.null(row, 4)) answer.horizon = snapshot(row, 4);
      if (!answer.name_space.empty()) parsed.settings = settings_of(rows.text(row, 6));
      parsed.process = rows.integer(row, 7);
    }
  }
  return parsed;
}

FeedSteps::Options steps_of(const PostgresChangeFeed::Options& options) {
  return {.times = options.times,
          .poll_interval = options.poll_interval,
          .limits = options.limits,
          .own_holds = options.own_holds,
          .new_id = [] { return random_uuid(); }};
}

}  // namespace

PostgresChangeFeed::PostgresChangeFeed(Options options)
    : options_{std::move(options)},
      clock_{*options_.clock},
      stats_{feed_queries::kAll},
      steps_{steps_of(options_)},
      delivery_{steps_},
      connection_{interrupt_, clock_} {}

PostgresChangeFeed::~PostgresChangeFeed() {
  stop();
}

void PostgresChangeFeed::start(ChangeListener& listener) {
  {
    const std::scoped_lock lock{mutex_};
    delivery_.start(listener);
  }
  thread_ = std::thread{[this] { loop(); }};
}

void PostgresChangeFeed::stop() {
  interrupt_.interrupt();
  if (thread_.joinable()) thread_.join();
  sweeper_ = {};
  const std::scoped_lock lock{mutex_};
  delivery_.stop();
}

void PostgresChangeFeed::before_commit(std::span<const std::string> keys) {
  const std::scoped_lock lock{mutex_};
  delivery_.before_commit(keys);
}

void PostgresChangeFeed::after_commit(std::span<const std::string> keys, const WriteEnd& end) {
  const std::scoped_lock lock{mutex_};
  delivery_.after_commit(keys, end, clock_.now());
}

std::optional<StrictTerms> PostgresChangeFeed::terms() const {
  const std::scoped_lock lock{mutex_};
  return terms_;
}

bool PostgresChangeFeed::follows() const {
  const std::scoped_lock lock{mutex_};
  return delivery_.has_listener();
}

void PostgresChangeFeed::note_company() {
  const std::scoped_lock lock{mutex_};
  steps_.note_company();
  publish_terms();
}

std::vector<std::string> PostgresChangeFeed::holds_known_since(BootTime then) const {
  const std::scoped_lock lock{mutex_};
  return steps_.polls().holds_known_since(then);
}

std::size_t PostgresChangeFeed::holds_alive() const {
  const std::scoped_lock lock{mutex_};
  return steps_.polls().holds().size();
}

void PostgresChangeFeed::loop() {
  Backoff backoff{kReconnect};
  while (!interrupt_.interrupted()) {
    if (!connection_.is_open() && !connect()) {
      {
        const std::scoped_lock lock{mutex_};
        delivery_.without_connection(clock_.now(), options_.times.staleness_bound);
      }
      interrupt_.sleep(backoff.pause(random_u64()));
      continue;
    }
    const Step step = steps_.next(clock_.now());
    const pg::Outcome<void> done = perform(step);
    if (done) {
      backoff.succeeded();
      if (failing_.erase(step.act) > 0 && failing_.empty() && options_.log)
        options_.log("the feed works again");
      continue;
    }
    if (connection_.is_open() && may_try_again(step.act, done.error())) {
      report(step.act, done.error());
      steps_.refused(step.act, clock_.now());
      continue;
    }
    report_loss(done.error());
    connection_.close();
    {
      const std::scoped_lock lock{mutex_};
      steps_.disconnected();
      delivery_.disconnected(clock_.now());
      publish_terms();
    }
    interrupt_.sleep(backoff.pause(random_u64()));
  }
  say_goodbye();
}

bool PostgresChangeFeed::connect() {
  const auto opened =
      connection_.open({.url = options_.url, .application_name = "user-manager feed"},
                       Deadline::after(clock_, options_.connect_time));
  const auto set_up = [&]() -> pg::Outcome<void> {
    if (!opened) return pg::failed(opened.error());
    const auto settings = run(feed_queries::kSessionSettings,
                              {options_.statement_time.count(), options_.lock_time.count()});
    if (!settings) return pg::failed(settings.error());
    for (const pg::Query* listen : {&feed_queries::kListenWake, &feed_queries::kListenSeen}) {
      const auto listening = run(*listen, {});
      if (!listening) return pg::failed(listening.error());
    }
    const auto server = run(feed_queries::kServer, {});
    if (!server) return pg::failed(server.error());
    if (server->null(0, 0))
      return pg::failed({.kind = pg::Failure::refused, .message = "the server is a standby"});
    server_ = std::string{server->text(0, 0)};
    process_ = server->integer(0, 1);
    return {};
  }();
  if (!set_up) {
    report_loss(set_up.error());
    connection_.close();
    return false;
  }
  const std::scoped_lock lock{mutex_};
  steps_.connected();
  publish_terms();
  return true;
}

// Once for each kind of statement, until one of its kind succeeds.
void PostgresChangeFeed::report(FeedSteps::Act act, const pg::Failure& failure) {
  if (interrupt_.interrupted() || !failing_.insert(act).second || !options_.log) return;
  options_.log(std::string{what_fails(act)} + ": " + failure.message +
               (failure.sqlstate.empty() ? "" : " (" + failure.sqlstate + ")"));
}

// The next connection begins anew, and works when it polls.
void PostgresChangeFeed::report_loss(const pg::Failure& failure) {
  report(FeedSteps::Act::poll, failure);
  failing_ = {FeedSteps::Act::poll};
}

pg::Outcome<pg::Rows> PostgresChangeFeed::run(const pg::Query& query, const pg::Params& params) {
  const BootTime began = clock_.now();
  auto rows = connection_.run(query, params,
                              Deadline::after(clock_, options_.statement_time + kStatementMargin));
  if (auto* counters = stats_.find(query)) counters->add(clock_.now() - began, !rows);
  return rows;
}

pg::Outcome<void> PostgresChangeFeed::perform(const Step& step) try {
  using Act = FeedSteps::Act;
  switch (step.act) {
    case Act::join:
      return join(step);
    case Act::poll:
      return poll(step);
    case Act::repair:
      return repair();
    case Act::acknowledge:
      return acknowledge(step);
    case Act::refresh:
      return refresh(step);
    case Act::leave:
      return leave(step);
    case Act::wait:
      return wait(step);
  }
  return {};
} catch (const std::logic_error& error) {
  // The statement cannot have this result: the URL leads to something other than our database.
  return pg::failed({.kind = pg::Failure::refused, .message = error.what()});
}

// The registration counts as a refresh from its sending.
pg::Outcome<void> PostgresChangeFeed::join(const Step& step) {
  if (options_.times.mode == Consistency::strict) delivery_.end_lease();
  const BootTime sent_at = clock_.now();
  steps_.joining(step.id);
  const auto joined = run(feed_queries::kJoin, {step.id, pg::text_array(step.former_ids), kProtocol,
                                                options_.instance_name, server_});
  if (!joined) return pg::failed(joined.error());
  const std::scoped_lock lock{mutex_};
  steps_.joined(step.id, std::string{joined->text_or_null(0, 1).value_or("")},
                joined->integer(0, 0), sent_at);
  publish_terms();
  return {};
}

pg::Outcome<void> PostgresChangeFeed::poll(const Step& step) {
  pg::Params params;
  if (step.question.since)
    params.add(pg_snapshot_text(*step.question.since));
  else
    params.add(std::nullopt);
  params.add(step.question.limit);
  params.add(server_);
  params.add(pg::text_array(step.question.known_holds));
  const BootTime sent_at = clock_.now();
  const auto rows = run(feed_queries::kPoll, params);
  if (!rows) return pg::failed(rows.error());
  hear();
  Parsed parsed = parse(*rows, sent_at);
  if (parsed.process != process_)
    return pg::failed({.kind = pg::Failure::refused,
                       .message = "the feed needs a direct connection, not a pooler's that hands "
                                  "each statement to another session"});
  if (parsed.answer.name_space.empty()) {
    const std::scoped_lock lock{mutex_};
    steps_.found_no_namespace(sent_at, clock_.now());
    return {};
  }
  apply(std::move(parsed.answer), parsed.settings);
  return {};
}

// After a crash PostgreSQL assigns some transaction ids again. The incarnation shows it: a crash
// empties its table, which gets a new row here. Nothing is applied until a poll finds a namespace,
// so the lease ends.
pg::Outcome<void> PostgresChangeFeed::repair() {
  const auto repaired = run(feed_queries::kRepair, {});
  if (!repaired) return pg::failed(repaired.error());
  if (!repaired->empty() && !repaired->null(0, 0))
    return pg::failed({.kind = pg::Failure::refused, .message = std::string{repaired->text(0, 0)}});
  steps_.repaired();
  return {};
}

pg::Outcome<void> PostgresChangeFeed::acknowledge(const Step& step) {
  const auto acknowledged = run(feed_queries::kAcknowledge, {step.id, pg_snapshot_text(step.seen)});
  if (!acknowledged) return pg::failed(acknowledged.error());
  hear();
  bool is_registered = false;
  {
    const std::scoped_lock lock{mutex_};
    is_registered = delivery_.acknowledged(acknowledged->affected(), step.seen);
    publish_terms();
  }
  if (!is_registered)
    report_expulsion();
  else if (options_.on_acknowledged)
    options_.on_acknowledged();
  return {};
}

pg::Outcome<void> PostgresChangeFeed::refresh(const Step& step) {
  const BootTime sent_at = clock_.now();
  const auto refreshed = run(feed_queries::kRefresh, {step.id});
  if (!refreshed) return pg::failed(refreshed.error());
  hear();
  const std::int64_t others = refreshed->empty() ? 0 : refreshed->integer(0, 0);
  bool is_registered = false;
  {
    const std::scoped_lock lock{mutex_};
    is_registered = delivery_.refreshed(refreshed->size(), others, sent_at);
    publish_terms();
  }
  if (!is_registered) report_expulsion();
  return {};
}

void PostgresChangeFeed::report_expulsion() {
  if (options_.log)
    options_.log(
        "the row of this instance is gone from cache_instances (it was silent for too long): it "
        "joins again");
}

pg::Outcome<void> PostgresChangeFeed::leave(const Step& step) {
  const auto left = run(feed_queries::kLeave, {pg::text_array(step.former_ids)});
  if (!left) return pg::failed(left.error());
  const std::scoped_lock lock{mutex_};
  steps_.left();
  publish_terms();
  return {};
}

pg::Outcome<void> PostgresChangeFeed::wait(const Step& step) {
  auto waited = connection_.wait({step.until});
  if (!waited) return waited;
  const std::size_t heard = hear();
  if (heard == 0 && !interrupt_.interrupted()) steps_.waited(step.until, clock_.now());
  return waited;
}

// A wake-up that this process sent is no news: its own holds need no poll here.
std::size_t PostgresChangeFeed::hear() {
  std::size_t count = 0;
  for (const pg::Notification& heard : connection_.take_notifications()) {
    if (heard.channel == feed_queries::kSeen) {
      if (options_.on_seen) options_.on_seen();
    } else if (heard.payload.empty() || heard.payload != options_.own_holds) {
      steps_.woken();
    }
    ++count;
  }
  return count;
}

void PostgresChangeFeed::apply(PostgresPolls::Answer answer, const FeedSteps::Settings& settings) {
  std::optional<FeedDelivery::Delivery> delivery;
  Leftovers leftovers;  // freed after the lock
  {
    std::unique_lock lock{mutex_};
    delivery = delivery_.begin(std::move(answer), settings, clock_.now());
    if (!delivery) return;
    publish_terms();
    if (!delivery->flushes) lock.unlock();
    leftovers = delivery_.apply(*delivery);
  }
  delivery_.finish(*delivery);
  if (delivery->applied.new_namespace && options_.on_new_namespace) options_.on_new_namespace();
  if (!leftovers.empty()) sweeper_ = std::jthread{[removed = std::move(leftovers)] {}};
  if (steps_.retired() && options_.log)
    options_.log(
        "the deployment runs with other times than this process (migrate changed them): it "
        "answers from the database and refuses writes until it is restarted");
}

void PostgresChangeFeed::publish_terms() {
  terms_ = steps_.terms();
}

// Nothing is answered from memory any more, so the writers of other instances need not wait for
// this one.
void PostgresChangeFeed::say_goodbye() {
  delivery_.end_lease();
  connection_.close();
  const std::vector<std::string> rows = steps_.rows();
  if (rows.empty()) return;
  const pg::Interrupt never;
  pg::DirectConnection connection{never, clock_};
  const Deadline deadline = Deadline::after(clock_, kGoodbyeTime);
  const auto opened =
      connection.open({.url = options_.url, .application_name = "user-manager feed"}, deadline);
  if (!opened) return;
  const auto left = connection.run(feed_queries::kLeave, {pg::text_array(rows)}, deadline);
  if (!left && options_.log)
    options_.log("the row of this instance stays in cache_instances until another removes it: " +
                 left.error().message);
  if (!left) return;
  // Unheard, writers notice within one poll interval.
  [[maybe_unused]] const auto told = connection.run(feed_queries::kTellOfLeaving, {}, deadline);
}

}  // namespace um
