#include "drivers/pg/client.hpp"

#include <algorithm>
#include <future>
#include <pthread.h>
#include <stdexcept>
#include <thread>

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/execution/context.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/query.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/random.hpp"
#include "drivers/pg/pool.hpp"

namespace um::pg {

namespace asio = boost::asio;

namespace {

constexpr int kMostRepetitions = 3;
// Before a transaction is run again.
constexpr Backoff::Bounds kRepetition{.first = std::chrono::milliseconds{4},
                                      .most = std::chrono::milliseconds{16}};

using Timer = asio::basic_waitable_timer<BootClock>;

// How long stop() waits for a loop that should run and does not.
constexpr std::chrono::seconds kStopPatience{2};

// Names and texts that the setup of every connection refers to.
struct SetupQueries {
  Query session{
      .name = "session settings",
      .sql =
          "select pg_backend_pid(), set_config('statement_timeout', $1, false),"
          " set_config('idle_in_transaction_session_timeout', $2, false),"
          " set_config('timezone', 'UTC', false), set_config('datestyle', 'ISO, YMD', false),"
          " set_config('bytea_output', 'hex', false)"};
  std::vector<std::string> texts{};
  std::vector<Query> on_connect{};
};

std::shared_ptr<const SetupQueries> setup_queries(const Options& options) {
  auto queries = std::make_shared<SetupQueries>();
  queries->texts = options.on_connect;
  for (const auto& text : queries->texts) {
    queries->on_connect.push_back({.name = "on connect", .sql = text});
  }
  return queries;
}

std::shared_ptr<const ConnectionInfo> read_url(const Options& options) {
  auto info = ConnectionInfo::parse(options.url);
  if (!info) throw std::invalid_argument{info.error().detail};
  info->set_defaults_of(options.application_name);
  return std::make_shared<const ConnectionInfo>(*std::move(info));
}

Task<Outcome<Rows>> single(std::shared_ptr<Pool> pool, CallSpec spec) {
  const auto call = std::make_shared<Call>(std::move(spec));
  co_await perform(std::move(pool), call);
  if (!call->outcome) co_return failed(std::move(call->outcome.error()));
  co_return std::move(call->outcome->back());
}

CallSpec spec_of(const Query& query, Params params, Deadline deadline) {
  CallSpec spec{.deadline = deadline};
  spec.commands.push_back({.query = &query, .params = std::move(params)});
  return spec;
}

CallSpec spec_of(const Batch& batch, Deadline deadline) {
  CallSpec spec{.deadline = deadline,
                .effect = CallSpec::Effect::commits,
                .required_note = batch.required_note};
  spec.commands.reserve(batch.statements.size());
  for (const Statement& statement : batch.statements) {
    spec.commands.push_back({.query = statement.query, .params = statement.params});
  }
  return spec;
}

}  // namespace

// The parts that the pools of all loops are made from.
class Client::Construction {
 public:
  explicit Construction(Client& client)
      : client_{client},
        options_{client.options_},
        info_{read_url(options_)},
        queries_{setup_queries(options_)},
        look_ups_{connection(options_.look_up_timeout)},
        statements_{connection(options_.statement_timeout)} {}

  LoopPools pools(asio::io_context& loop) const {
    return {.loop = &loop,
            .look_ups =
                pool(loop, {options_.look_up_connections, options_.look_ups_in_flight}, look_ups_),
            .scans = pool(loop, {options_.scan_connections, 1}, statements_),
            .transactions = pool(loop, {options_.transaction_connections, 1}, statements_)};
  }

 private:
  using ConnectionSettings = std::shared_ptr<const Connection::Settings>;
  struct Size {
    std::size_t connections;
    std::size_t in_flight;
  };

  ConnectionSettings connection(std::chrono::milliseconds timeout) const {
    std::vector<Command> setup;
    setup.push_back({.query = &queries_->session,
                     .params = {std::to_string(timeout.count()),
                                std::to_string(options_.idle_in_transaction_timeout.count())},
                     .how = Command::How::once});
    for (const Query& query : queries_->on_connect) {
      setup.push_back({.query = &query, .how = Command::How::once});
    }
    using Note = Connection::Settings::Note;
    const auto given = info_->connect_timeout();
    const auto count = [stats = &client_.query_stats_](const Query& query, auto took, bool failed) {
      if (auto* counters = stats->find(query)) counters->add(took, failed);
    };
    return std::make_shared<const Connection::Settings>(
        Connection::Settings{.opener = {.info = info_,
                                        .per_address = given ? std::chrono::milliseconds{*given}
                                                             : options_.connect_timeout},
                             .setup = std::move(setup),
                             .note = queries_->on_connect.empty() ? Note::none : Note::last_value,
                             .queries = queries_,
                             .stall_bound = timeout + options_.stall_margin,
                             .executed = count});
  }
  std::shared_ptr<Pool> pool(asio::io_context& loop, Size size, ConnectionSettings settings) const {
    return std::make_shared<Pool>(
        loop.get_executor(),
        Pool::Settings{
            .connections = std::max<std::size_t>(size.connections, 1),
            .in_flight = std::max<std::size_t>(size.in_flight, 1),
            .queue_limit = options_.queue_limit,
            .backoff = {.first = options_.backoff_first, .most = options_.backoff_most},
            .connection = std::move(settings),
            .unreachable = [client = &client_](std::string_view why) { client->unreachable(why); },
            .reachable = [client = &client_] { client->reachable(); }});
  }

  Client& client_;
  const Options& options_;
  const std::shared_ptr<const ConnectionInfo> info_;
  const std::shared_ptr<const SetupQueries> queries_;
  const ConnectionSettings look_ups_;
  const ConnectionSettings statements_;
};

struct Client::OwnLoop {
  asio::io_context context{1};
  asio::executor_work_guard<asio::io_context::executor_type> work{context.get_executor()};
  std::thread thread{};

  void start() {
    thread = std::thread{[this] { context.run(); }};
    ::pthread_setname_np(thread.native_handle(), "postgresql");
  }
  void finish() {
    work.reset();
    thread.join();
  }
};

// Stops the pools of a loop when it is called, or when a loop that is destroyed drops it.
class Client::Stopping {
 public:
  Stopping(LoopPools pools, std::shared_ptr<std::promise<void>> done)
      : pools_{std::move(pools)}, done_{std::move(done)} {}
  Stopping(Stopping&&) = default;
  Stopping& operator=(Stopping&&) = delete;
  ~Stopping() { run(); }
  void operator()() { run(); }

 private:
  void run() {
    const auto done = std::move(done_);
    if (!done) return;
    pools_.stop();
    done->set_value();
  }

  LoopPools pools_;
  std::shared_ptr<std::promise<void>> done_;
};

void Client::LoopPools::renew() const {
  for (const auto& pool : {look_ups, scans, transactions}) pool->renew();
}

void Client::LoopPools::stop() const {
  for (const auto& pool : {look_ups, scans, transactions}) pool->stop();
}

Client::Client(Options options, std::vector<asio::io_context*> loops)
    : options_{std::move(options)}, query_stats_{options_.queries} {
  const Construction construction{*this};
  if (loops.empty()) {
    own_loop_ = std::make_unique<OwnLoop>();
    loops.push_back(&own_loop_->context);
  }
  for (asio::io_context* loop : loops) pools_.push_back(construction.pools(*loop));
  if (own_loop_) own_loop_->start();
}

Client::~Client() {
  stop();
  if (own_loop_) own_loop_->finish();
}

const Client::LoopPools& Client::pools_of(const asio::any_io_executor& executor) {
  const asio::execution_context& context = asio::query(executor, asio::execution::context);
  for (const LoopPools& candidate : pools_) {
    if (&context == static_cast<asio::execution_context*>(candidate.loop)) return candidate;
  }
  return pools_[next_.fetch_add(1, std::memory_order_relaxed) % pools_.size()];
}

Task<Outcome<Rows>> Client::look_up(const Query& query, Params params, Deadline deadline) {
  const auto executor = co_await asio::this_coro::executor;
  auto spec = spec_of(query, std::move(params), deadline);
  co_return co_await single(pools_of(executor).look_ups, std::move(spec));
}

Task<Outcome<Rows>> Client::scan(const Query& query, Params params, Deadline deadline) {
  const auto executor = co_await asio::this_coro::executor;
  auto spec = spec_of(query, std::move(params), deadline);
  co_return co_await single(pools_of(executor).scans, std::move(spec));
}

Task<Outcome<Rows>> Client::write(const Query& query, Params params, Deadline deadline) {
  const auto executor = co_await asio::this_coro::executor;
  Attempts attempts{deadline};
  for (;;) {
    auto spec = spec_of(query, params, deadline);
    spec.effect = CallSpec::Effect::commits;
    auto rows = co_await single(pools_of(executor).transactions, std::move(spec));
    if (rows) co_return rows;
    const Failure failure = rows.error();
    const Next next = co_await after_failure(attempts, failure);
    if (next == Next::hand_over) co_return failed(failure);
  }
}

Task<BatchOutcome> Client::batch(Batch batch, Deadline deadline) {
  if (batch.statements.empty()) co_return BatchOutcome{.rows = std::vector<Rows>{}};
  const auto executor = co_await asio::this_coro::executor;
  Attempts attempts{deadline};
  for (;;) {
    const auto call = std::make_shared<Call>(spec_of(batch, deadline));
    co_await perform(pools_of(executor).transactions, call);
    if (call->outcome) {
      co_return BatchOutcome{.rows = *std::move(call->outcome),
                             .server_process = call->server_process};
    }
    const Failure failure = call->outcome.error();
    const Next next = co_await after_failure(attempts, failure);
    if (next == Next::again) continue;
    co_return BatchOutcome{.rows = failed(failure),
                           .first = std::move(call->first),
                           .server_process = call->server_process};
  }
}

Client::Attempts::Attempts(Deadline until) : deadline{until}, backoff{kRepetition} {}

std::unique_ptr<Transaction> Client::begin(const Attempts& attempts,
                                           const asio::any_io_executor& executor) {
  return std::make_unique<Transaction>(pools_of(executor).transactions, attempts.deadline);
}

Task<Client::Next> Client::after_failure(Attempts& attempts, const Failure& failure) {
  // The next use of an outdated prepared statement prepares it anew.
  const bool promising = worth_repeating(failure) || (stale(failure) && attempts.repeated == 0);
  if (!promising || attempts.repeated >= kMostRepetitions) co_return Next::hand_over;
  const BootTime at = BootClock::now() + attempts.backoff.pause(random_u64());
  if (attempts.deadline.passed(at)) co_return Next::hand_over;
  ++attempts.repeated;
  repeated_.add();
  const auto executor = co_await asio::this_coro::executor;
  Timer timer{executor, at};
  boost::system::error_code cancelled;
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
  co_return cancelled ? Next::hand_over : Next::again;
}

Stats Client::stats() const {
  Stats all;
  for (const LoopPools& each : pools_) {
    add_counters(each.look_ups->stats(), all.look_ups);
    add_counters(each.scans->stats(), all.scans);
    add_counters(each.transactions->stats(), all.transactions);
  }
  all.transactions.repeated += repeated_.value();
  return all;
}

const Client::QueryStats& Client::query_stats() const {
  return query_stats_;
}

void Client::renew() {
  for (const LoopPools& each : pools_) asio::post(*each.loop, [each] { each.renew(); });
}

void Client::stop() {
  for (const LoopPools& each : pools_) {
    if (each.loop->get_executor().running_in_this_thread()) {
      each.stop();
      continue;
    }
    auto done = std::make_shared<std::promise<void>>();
    auto stopped = done->get_future();
    asio::post(*each.loop, Stopping{each, done});
    // A loop that does not run does nothing more; what it still holds ends with it.
    const auto until = std::chrono::steady_clock::now() + kStopPatience;
    while (stopped.wait_for(std::chrono::milliseconds{10}) != std::future_status::ready &&
           !each.loop->stopped() && std::chrono::steady_clock::now() < until) {
    }
  }
}

void Client::unreachable(std::string_view reason) {
  if (down_.exchange(true) || !options_.log) return;
  options_.log("the database cannot be reached: " + std::string{reason});
}

void Client::reachable() {
  if (down_.exchange(false) && options_.log) options_.log("the database can be reached again");
}

}  // namespace um::pg
