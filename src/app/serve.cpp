#include "app/serve.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <ostream>

#include <boost/asio/signal_set.hpp>

#include "app/application.hpp"
#include "app/deployment.hpp"
#include "config/url_mask.hpp"
#include "telemetry/log_limiter.hpp"
#include "telemetry/logging.hpp"

namespace um {
namespace {

using namespace std::chrono_literals;

// Longer than any deadline of a request, so that stopping cuts off a request only after a bug.
std::chrono::seconds drain_time(const Config& config) {
  constexpr auto kMargin = 5s;
  return std::max(30s, std::chrono::ceil<std::chrono::seconds>(config.database_timeout) + kMargin);
}

using Steady = std::chrono::steady_clock;

// From construction until release(), SIGTERM and SIGINT do not end the process: wait() returns
// instead.
class StopSignal {
 public:
  StopSignal() : signals_{context_, SIGTERM, SIGINT} {}

  // Returns at the next signal or at `until`; calls `every_second` meanwhile.
  void wait(const std::function<void()>& every_second,
            Steady::time_point until = Steady::time_point::max()) {
    asked_ = false;
    signals_.async_wait([this](const boost::system::error_code& error, int) { asked_ |= !error; });
    while (!asked_ && Steady::now() < until) {
      context_.restart();
      context_.run_one_until(std::min(until, Steady::now() + 1s));
      every_second();
    }
    signals_.cancel();
    context_.restart();
    context_.poll();
  }

  // The next signal ends the process.
  void release() {
    signals_.clear();
    std::signal(SIGTERM, SIG_DFL);
    std::signal(SIGINT, SIG_DFL);
  }

 private:
  boost::asio::io_context context_{1};
  boost::asio::signal_set signals_;
  bool asked_ = false;
};

std::string human_bytes(std::uint64_t bytes) {
  constexpr std::uint64_t mib = 1024ULL * 1024;
  return bytes % mib == 0 ? std::to_string(bytes / mib) + " MiB"
                          : std::to_string(bytes / 1024) + " KiB";
}

std::string quoted(const std::string& word) {
  const bool plain = word.find_first_not_of(
                         "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                         "0123456789/._-:@+,=") == std::string::npos;
  if (plain) return word;
  std::string result = "'";
  for (const char c : word) {
    if (c == '\'')
      result += "'\\''";
    else
      result += c;
  }
  return result + "'";
}

// A path as this process sees it, so that it works from any directory; a URL without its password.
std::string shown_database(const DatabaseUrl& database) {
  if (database.kind == DatabaseUrl::Kind::postgresql) return database.masked();
  std::error_code ignored;
  return "sqlite:" + std::filesystem::absolute(database.path, ignored).lexically_normal().string();
}

// The command works beside the server. It shows no password: the environment that gave the password
// to the server gives it to the command, too.
std::string command_for_first_admin(const Config& config) {
  std::error_code error;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
  const auto database = std::ranges::find(config.effective, "database", &EffectiveSetting::name);
  const bool inherited =
      database != config.effective.end() && database->source == ConfigSource::environment;
  const std::string shown = shown_database(config.database);
  std::string command = quoted(error ? std::string{"user-manager"} : program.string());
  command += " user create";
  if (!inherited) command += " --database " + quoted(shown);
  command += " --role admin --email you@example.com";
  if (!inherited && shown.find("***") != std::string::npos)
    command += "  (with the password for ***)";
  return command;
}

void introduce(Application& application, const Config& config, std::ostream& out) {
  ListenAddress address = config.listen;
  address.port = application.port();
  out << "user-manager " UM_VERSION " listens on "
      << (application.serves_https() ? "https://" : "http://") << address.text() << '\n'
      << "storage: " << application.storage_description() << '\n'
      << "cache: " << human_bytes(config.cache_capacity_bytes) << " in memory, "
      << to_string(config.consistency) << ", staleness bound " << config.staleness_bound.count()
      << " ms";
  if (config.redis) out << "; Redis " << mask_url(config.redis->reveal());
  out << '\n';
  const Result<bool> has_admin = application.has_admin();
  if (has_admin && !*has_admin)
    out << "There is no administrator yet. This creates one (it asks for the password):\n  "
        << command_for_first_admin(config) << '\n';
  out.flush();
}

int fail_to_start(const Error& error, std::ostream& err) {
  err << "user-manager: " << error.detail << '\n';
  err.flush();
  return error.code == ErrorCode::invalid ? 2 : 1;
}

}  // namespace

int serve(const Serve& what, ServeStreams streams) {
  std::signal(SIGPIPE, SIG_IGN);
  const auto deployment =
      join_deployment(what.config, what.migrate ? MigrateFirst::yes : MigrateFirst::no);
  if (!deployment) return fail_to_start(deployment.error(), streams.err);
  const Config& config = deployment->config;
  const SystemClock clock;
  const auto logger = make_logger({.format = config.log_format, .level = config.log_level}, clock);
  LogLimiter log{*logger, clock};
  StopSignal stop_signal;

  auto made = Application::make(
      {.config = config, .clock = clock, .log = log, .deployment_key = deployment->deployment_key});
  if (!made) return fail_to_start(made.error(), streams.err);
  Application& application = **made;
  const Result<void> started = application.run();
  if (!started) return fail_to_start(started.error(), streams.err);
  introduce(application, config, streams.out);

  const auto every_second = [&log] { log.tell_left_out(); };
  stop_signal.wait(every_second);
  if (config.shutdown_delay > 0s) {
    log.info("not ready any more: serving for shutdown-delay, then stopping",
             {{"seconds", config.shutdown_delay.count()}});
    application.drain();
    stop_signal.wait(every_second, Steady::now() + config.shutdown_delay);
  }
  stop_signal.release();
  log.info("stopping: finishing what is under way");
  if (!application.stop(drain_time(config))) {
    log.error("some requests did not end in time and were cut off");
    // Their coroutines refer to parts that are about to be destroyed; acknowledged writes are on
    // disk already.
    streams.out.flush();
    std::_Exit(1);
  }
  log.info("stopped");
  return 0;
}

}  // namespace um
