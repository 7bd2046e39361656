#include "drivers/pg/client_impl.hpp"

#include <algorithm>
#include <future>
#include <pthread.h>
#include <stdexcept>

#include <boost/asio/execution/context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/query.hpp>

namespace um::pg {

namespace asio = boost::asio;

namespace {

// How long stop() waits for a loop that was to run and does not.
constexpr std::chrono::seconds kStopPatience{2};

// Names and texts that the setup of every connection refers to.
struct SetupQueries {
  Query session{
      .name = "session settings",
      .sql =
          "select set_config('statement_timeout', $1, false),"
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

struct Parts {
  const Options& options;
  std::shared_ptr<const ConnectionInfo> info;
  std::shared_ptr<const SetupQueries> queries;
  QueryObserver& queries_observer;
  ReachabilityObserver& reachability;

  std::shared_ptr<const Connection::Settings> connection(std::chrono::milliseconds timeout) const {
    std::vector<Command> setup;
    setup.push_back({.query = &queries->session,
                     .params = {std::to_string(timeout.count()),
                                std::to_string(options.idle_in_transaction_timeout.count())},
                     .how = Command::How::once});
    for (const Query& query : queries->on_connect) {
      setup.push_back({.query = &query, .how = Command::How::once});
    }
    using Note = Connection::Settings::Note;
    const auto given = info->connect_timeout();
    return std::make_shared<const Connection::Settings>(
        Connection::Settings{.opener = {.info = info,
                                        .per_address = given ? std::chrono::milliseconds{*given}
                                                             : options.connect_timeout},
                             .setup = std::move(setup),
                             .note = queries->on_connect.empty() ? Note::none : Note::last_value,
                             .queries = queries,
                             .stall_bound = timeout + options.stall_margin,
                             .observer = &queries_observer});
  }
  std::shared_ptr<Group> group(asio::io_context& loop, std::size_t connections,
                               std::size_t in_flight,
                               std::shared_ptr<const Connection::Settings> settings) const {
    return std::make_shared<Group>(
        loop.get_executor(),
        Group::Settings{.connections = std::max<std::size_t>(connections, 1),
                        .in_flight = std::max<std::size_t>(in_flight, 1),
                        .queue_limit = options.queue_limit,
                        .backoff = {.first = options.backoff_first, .most = options.backoff_most},
                        .connection = std::move(settings),
                        .observer = &reachability});
  }
};

}  // namespace

// Stops the pool when it is called, or when a loop that is destroyed drops it: without that, a call
// that waits and its coroutine would keep each other.
class Client::Impl::Stop {
 public:
  Stop(Pool pool, std::shared_ptr<std::promise<void>> done)
      : pool_{std::move(pool)}, done_{std::move(done)} {}
  Stop(Stop&&) = default;
  Stop& operator=(Stop&&) = delete;
  ~Stop() { run(); }
  void operator()() { run(); }

 private:
  void run() {
    const auto done = std::move(done_);
    if (!done) return;
    pool_.stop();
    done->set_value();
  }

  Pool pool_;
  std::shared_ptr<std::promise<void>> done_;
};

void Client::Impl::Pool::renew() const {
  for (const auto& group : {look_ups, scans, transactions}) group->renew();
}

void Client::Impl::Pool::stop() const {
  for (const auto& group : {look_ups, scans, transactions}) group->stop();
}

Client::Impl::Impl(Options given, std::vector<asio::io_context*> loops)
    : options{std::move(given)}, query_stats{options.queries} {
  const Parts parts{.options = options,
                    .info = read_url(options),
                    .queries = setup_queries(options),
                    .queries_observer = *this,
                    .reachability = *this};
  if (loops.empty()) {
    own_loop = std::make_unique<OwnLoop>();
    loops.push_back(&own_loop->context);
  }
  const auto look_up = parts.connection(options.look_up_timeout);
  const auto statement = parts.connection(options.statement_timeout);
  for (asio::io_context* loop : loops) {
    pools.push_back(
        {.loop = loop,
         .look_ups =
             parts.group(*loop, options.look_up_connections, options.look_ups_in_flight, look_up),
         .scans = parts.group(*loop, options.scan_connections, 1, statement),
         .transactions = parts.group(*loop, options.transaction_connections, 1, statement)});
  }
  if (own_loop) {
    own_loop->thread = std::thread{[loop = &own_loop->context] { loop->run(); }};
    ::pthread_setname_np(own_loop->thread.native_handle(), "postgresql");
  }
}

const Client::Impl::Pool& Client::Impl::pool(const asio::any_io_executor& executor) {
  const asio::execution_context& context = asio::query(executor, asio::execution::context);
  for (const Pool& candidate : pools) {
    if (&context == static_cast<asio::execution_context*>(candidate.loop)) return candidate;
  }
  return pools[next.fetch_add(1, std::memory_order_relaxed) % pools.size()];
}

void Client::Impl::renew() {
  for (const Pool& each : pools) asio::post(*each.loop, [each] { each.renew(); });
}

void Client::Impl::stop() {
  for (const Pool& each : pools) {
    if (each.loop->get_executor().running_in_this_thread()) {
      each.stop();
      continue;
    }
    auto done = std::make_shared<std::promise<void>>();
    auto stopped = done->get_future();
    asio::post(*each.loop, Stop{each, done});
    // A loop that does not run does nothing more; what it still holds ends with it.
    const auto until = std::chrono::steady_clock::now() + kStopPatience;
    while (stopped.wait_for(std::chrono::milliseconds{10}) != std::future_status::ready &&
           !each.loop->stopped() && std::chrono::steady_clock::now() < until) {
    }
  }
}

Client::Impl::~Impl() {
  stop();
  if (!own_loop) return;
  own_loop->work.reset();
  own_loop->thread.join();
}

void Client::Impl::executed(const Query& query, std::chrono::nanoseconds took, bool failed) {
  if (auto* counters = query_stats.find(query)) counters->add(took, failed);
}

void Client::Impl::unreachable(std::string_view reason) {
  if (down.exchange(true) || !options.log) return;
  options.log("the database cannot be reached: " + std::string{reason});
}

void Client::Impl::reachable() {
  if (down.exchange(false) && options.log) options.log("the database can be reached again");
}

}  // namespace um::pg
