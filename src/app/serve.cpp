#include "app/serve.hpp"

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <ostream>

#include <boost/asio/signal_set.hpp>

#include "app/deployment.hpp"
#include "app/service.hpp"
#include "ops/log_limiter.hpp"
#include "ops/logging.hpp"
#include "ops/url_mask.hpp"

namespace um {
namespace {

using namespace std::chrono_literals;

// Longer than any deadline of a request, so that only a mistake of ours is ever cut off.
constexpr auto kDrainTime = 30s;

// From construction on, SIGTERM and SIGINT do not end the process but wait here to be asked for.
class StopSignal {
 public:
  StopSignal() : signals_{context_, SIGTERM, SIGINT} {}

  // Calls `every_second` meanwhile.
  void wait(const std::function<void()>& every_second) {
    bool asked = false;
    signals_.async_wait([&asked](const boost::system::error_code&, int) { asked = true; });
    while (!asked) {
      context_.run_one_for(1s);
      every_second();
    }
    signals_.clear();
    // The next one gets its usual effect.
    std::signal(SIGTERM, SIG_DFL);
    std::signal(SIGINT, SIG_DFL);
  }

 private:
  boost::asio::io_context context_{1};
  boost::asio::signal_set signals_;
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

// It works beside the server.
std::string command_for_first_admin(const Config& config) {
  std::error_code error;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
  return quoted(error ? std::string{"user-manager"} : program.string()) +
         " user create --database " + quoted(shown_database(config.database)) +
         " --role admin --email you@example.com";
}

void introduce(Service& service, const Config& config, std::ostream& out) {
  ListenAddress address = config.listen;
  address.port = service.port();
  out << "user-manager " UM_VERSION " listens on "
      << (service.serves_https() ? "https://" : "http://") << address.text() << '\n'
      << "storage: " << service.storage_description() << '\n'
      << "cache: " << human_bytes(config.cache_capacity_bytes) << " in memory, "
      << (config.consistency == Consistency::strict ? "strict" : "bounded") << ", staleness bound "
      << config.staleness_bound.count() << " ms";
  if (config.redis) out << "; Redis " << mask_url(config.redis->reveal());
  out << '\n';
  const Result<bool> has_admin = service.has_admin();
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

  auto made = Service::make(
      {.config = config, .clock = clock, .log = log, .fact_key = deployment->fact_key});
  if (!made) return fail_to_start(made.error(), streams.err);
  Service& service = **made;
  const Result<void> started = service.start();
  if (!started) return fail_to_start(started.error(), streams.err);
  introduce(service, config, streams.out);

  stop_signal.wait([&log] { log.tell_left_out(); });
  log.info("stopping: finishing what is under way");
  if (!service.stop(kDrainTime)) {
    log.error("some requests did not end in time and were cut off");
    // Their coroutines refer to parts that are about to go; what was acknowledged is on disk
    // already.
    streams.out.flush();
    std::_Exit(1);
  }
  log.info("stopped");
  return 0;
}

}  // namespace um
