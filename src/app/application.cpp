#include "app/application.hpp"

#include <algorithm>
#include <thread>

#include "app/open_storage.hpp"
#include "app/token_secret.hpp"
#include "config/referenced_file.hpp"
#include "drivers/http/tls.hpp"
#include "storage/change_feed.hpp"

namespace um {
namespace {

using namespace std::chrono_literals;

constexpr auto kStartDeadline = 10s;
constexpr auto kStartPause = 200ms;
constexpr auto kKeyReloadInterval = 5s;
constexpr auto kHousekeepingInterval = 60s;
constexpr auto kUpkeepInterval = 250ms;
// How many of the queries run that come all at once when a lease lapses.
constexpr std::size_t kPrimaryReads = 64;

Result<void> check_tls_files(const Config& config) {
  if (!config.tls_cert || !config.tls_key) return {};
  const auto certificate = check_referenced_file({.setting = "tls-cert", .path = *config.tls_cert});
  if (!certificate) return certificate;
  return check_referenced_file({.setting = "tls-key", .path = *config.tls_key});
}

CacheSettings cache_settings(const Config& config) {
  std::optional<std::chrono::nanoseconds> registry_bound;
  // Writers wait for the instances in the registry only if writes are strict.
  if (config.database.kind == DatabaseUrl::Kind::postgresql &&
      config.consistency == Consistency::strict)
    registry_bound = CacheTimes{}.instance_lease;
  return {.coherence = {.staleness_bound = config.staleness_bound,
                        .registry_bound = registry_bound,
                        .capacity_bytes = config.cache_capacity_bytes},
          .primary_reads = {.running = kPrimaryReads},
          .stale_if_error = config.stale_if_error,
          .l2_time = config.redis_timeout};
}

}  // namespace

Result<std::unique_ptr<Application>> Application::make(Surroundings around) {
  auto secret = read_token_secret(around.config);
  if (!secret) return fail(std::move(secret.error()));
  if (auto files = check_tls_files(around.config); !files) return fail(std::move(files.error()));
  auto loops = std::make_unique<EventLoops>(around.config.threads);
  auto storage = open_storage({.config = around.config,
                               .clock = around.clock,
                               .log = around.log,
                               .use = StorageUse::serve,
                               .loops = loops->contexts()});
  if (!storage) return fail(std::move(storage.error()));
  Parts parts{.loops = std::move(loops),
              .storage = std::move(*storage),
              .hs256_secret = std::move(*secret)};
  if (around.config.redis && around.deployment_key) {
    auto redis = RedisParts::make({.config = around.config,
                                   .deployment_key = *around.deployment_key,
                                   .clock = around.clock,
                                   .log = around.log,
                                   .loops = parts.loops->contexts()});
    if (!redis) return fail(std::move(redis.error()));
    parts.redis = std::move(*redis);
  }
  std::unique_ptr<Application> application{new Application{around, std::move(parts)}};
  Result<void> bound = application->listen();
  if (!bound) return fail(std::move(bound.error()));
  return application;
}

Application::Application(Surroundings around, Parts parts)
    : config_{around.config},
      clock_{around.clock},
      log_{around.log},
      started_at_{clock_.now()},
      loops_{std::move(parts.loops)},
      storage_{std::move(parts.storage)},
      redis_{std::move(parts.redis)},
      cache_{cache_settings(config_), clock_, redis_ ? &redis_->l2() : nullptr},
      user_store_{storage_->users(), cache_},
      session_store_{storage_->sessions(), cache_},
      hasher_{{.cost = config_.password_cost,
               .threads = std::max<std::size_t>(1, std::thread::hardware_concurrency())}},
      local_limiter_{{}, clock_},
      limiter_{make_limiter(around.deployment_key)},
      tokens_{storage_->signing_keys(),
              clock_,
              {.issuer = config_.issuer,
               .hs256_secret = std::move(parts.hs256_secret),
               .staleness_bound = config_.staleness_bound,
               .stale_if_error = config_.stale_if_error}},
      sign_in_{{.users = user_store_,
                .sessions = session_store_,
                .hasher = hasher_,
                .limiter = limiter_,
                .tokens = tokens_,
                .clock = clock_},
               {.token_ttl = config_.token_ttl, .store_time = config_.database_timeout}},
      users_{
          {.store = user_store_, .hasher = hasher_, .limiter = limiter_, .clock = clock_},
          {.registration = config_.registration == RegistrationPolicy::open ? Registration::open
                                                                            : Registration::admin,
           .store_time = config_.database_timeout}},
      process_info_{{.storage = *storage_,
                     .cache = cache_,
                     .tokens = tokens_,
                     .clock = clock_,
                     .stats = [this] { return stats(); }}},
      api_{{.users = users_, .sign_in = sign_in_, .process = process_info_, .clock = clock_},
           api_options()},
      background_{loops_->first()} {}

// After stop(): no chore, no request and no poll is under way. The feed stops first because it
// calls the cache. The loops stop before the parts that their coroutines refer to are destroyed.
Application::~Application() {
  stop_background();
  loops_->stop();
}

// Instances that share a database share the limits on guessing.
AttemptLimiter& Application::make_limiter(const std::optional<Secret>& deployment_key) {
  AttemptStore* store = storage_->attempts();
  if (store == nullptr || !deployment_key) return local_limiter_;
  return stored_limiter_.emplace(
      StoredAttemptOptions{.deployment_key = *deployment_key},
      StoredAttemptLimiter::Parts{
          .local = local_limiter_, .store = *store, .clock = clock_, .loop = loops_->first()});
}

api::ApiOptions Application::api_options() {
  return {.reading = config_.access == AccessPolicy::public_access ? api::ReadAccess::public_
                                                                   : api::ReadAccess::private_,
          .trusted_proxies = api::TrustedProxies{config_.trusted_proxies},
          .ordinary_time = config_.database_timeout,
          .l2_time = config_.redis_timeout,
          .log_requests = config_.log_level == LogLevel::debug ? api::LogRequests::all
                                                               : api::LogRequests::failures,
          .log = [this](const api::RequestLogLine& line) { log_request(line); }};
}

void Application::log_request(const api::RequestLogLine& line) const {
  const auto microseconds =
      std::chrono::duration_cast<std::chrono::microseconds>(line.took).count();
  const std::string user = line.user ? line.user->text() : std::string{};
  const LogFields fields{{"request_id", line.request_id},
                         {"method", line.method},
                         {"route", line.route},
                         {"status", line.status},
                         {"took_us", microseconds},
                         {"peer", line.peer},
                         {"user", user},
                         {"problem", line.problem},
                         {"detail", line.detail}};
  if (line.status >= 500)
    log_.warn("request failed", fields);
  else
    log_.debug("request", fields);
}

Result<void> Application::listen() {
  http::ServerOptions options{
      .address = config_.listen.address,
      .port = config_.listen.port,
      .limits = {.connections = config_.max_connections},
      .on_error = [this](std::string_view what) { log_.error("http server", {{"error", what}}); }};
  if (config_.tls_cert && config_.tls_key) {
    auto context =
        http::make_server_tls_context({.certificate = *config_.tls_cert, .key = *config_.tls_key});
    if (!context) return fail(std::move(context.error()));
    options.tls = std::move(*context);
    https_ = true;
  }
  try {
    server_ = std::make_unique<http::Server>(std::move(options), loops_->contexts(), api_);
  } catch (const std::system_error& error) {
    return fail(ErrorCode::unavailable,
                "cannot listen on " + config_.listen.text() + ": " + error.code().message());
  }
  return {};
}

Result<void> Application::run() {
  start_feed();
  const auto deadline = Deadline::after(clock_, kStartDeadline);
  Result<void> keys = wait_for(loops_->first(), tokens_.start(deadline));
  // A database that is busy or just starting gets the whole time.
  while (!keys && keys.error().code == ErrorCode::unavailable && !deadline.passed(clock_.now())) {
    std::this_thread::sleep_for(kStartPause);
    keys = wait_for(loops_->first(), tokens_.start(deadline));
  }
  if (!keys) return keys;
  start_housekeeping();
  server_->start();
  return {};
}

// A key that another process revoked must end at once: the keys are read again when a poll brings a
// change of a key or a change without a name, and every few seconds in any case.
void Application::start_feed() {
  auto reload_keys = background_.start(
      {.every = kKeyReloadInterval, .work = [this]() -> Task<bool> {
         const auto deadline = Deadline::after(clock_, config_.database_timeout);
         Result<void> done = co_await tokens_.reload(deadline);
         if (!done)
           log_.warn("reading the signing keys failed", {{"error", describe(done.error())}});
         co_return false;
       }});
  ChangeWatcher::Keys keys{.changed =
                               [this, reload = std::move(reload_keys)] {
                                 tokens_.keys_changed();
                                 reload();
                               },
                           .unchanged = [this](BootTime at) { tokens_.keys_unchanged(at); }};
  listener_.emplace(cache_.coherence(), std::move(keys));
  storage_->changes().start(*listener_);
}

void Application::start_housekeeping() {
  background_.start({.every = kHousekeepingInterval, .work = [this]() -> Task<bool> {
                       const auto deadline = Deadline::after(clock_, config_.database_timeout);
                       const Result<bool> more =
                           co_await storage_->housekeeping(clock_.wall_now(), deadline);
                       if (!more)
                         log_.warn("housekeeping failed", {{"error", describe(more.error())}});
                       co_return more && *more;
                     }});
  background_.start({.every = kUpkeepInterval, .work = [this]() -> Task<bool> {
                       const auto deadline = Deadline::after(clock_, config_.database_timeout);
                       const Result<bool> more = co_await storage_->upkeep(deadline);
                       // While the database is away every round fails: one line is enough.
                       if (more)
                         upkeep_fails_ = false;
                       else if (!std::exchange(upkeep_fails_, true))
                         log_.warn("upkeep failed", {{"error", describe(more.error())}});
                       co_return more && *more;
                     }});
}

Result<bool> Application::has_admin() {
  const auto deadline = Deadline::after(clock_, kStartDeadline);
  return wait_for(loops_->first(), storage_->users().has_admin(deadline));
}

void Application::drain() {
  process_info_.note_draining();
  server_->announce_end();
}

bool Application::stop(std::chrono::seconds at_most) {
  process_info_.note_draining();
  const bool complete = server_->drain(at_most);
  stop_background();
  return complete;
}

void Application::stop_background() {
  storage_->changes().stop();
  background_.stop();
  if (stored_limiter_) stored_limiter_->stop();
}

ApplicationStats Application::stats() const {
  ApplicationStats stats{
      .promise = {.consistency = config_.consistency, .staleness_bound = config_.staleness_bound},
      .requests = api_.stats(),
      .server = server_->stats(),
      .cache = cache_.stats(),
      .session_flights = session_store_.flight_stats(),
      .storage = storage_->stats(),
      .sign_in = sign_in_.stats(),
      .hasher = hasher_.stats(),
      .attempts = local_limiter_.stats(),
      .tokens = tokens_.stats(),
      .dropped_log_lines = log_.dropped(),
      .uptime_seconds = std::chrono::duration<double>{clock_.now() - started_at_}.count()};
  stats.cache.flights = user_store_.flight_stats();
  if (stored_limiter_) stats.stored_attempts = stored_limiter_->stats();
  if (redis_) stats.redis = redis_->stats();
  return stats;
}

}  // namespace um
