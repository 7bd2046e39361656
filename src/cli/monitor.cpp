// monitor
#include "monitor/monitor.hpp"

#include <algorithm>
#include <ostream>

#include "cli/command.hpp"
#include "cli/messages.hpp"
#include "config/referenced_file.hpp"
#include "config/setting.hpp"
#include "config/units.hpp"
#include "monitor/metrics_server.hpp"

namespace um {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

struct DurationOption {
  std::string_view name;  // "--interval"
  milliseconds fallback;
  milliseconds min;
  milliseconds max;
};

Result<milliseconds> duration_of(const DurationOption& option,
                                 const std::optional<std::string>& text) {
  if (!text) return option.fallback;
  const auto value = parse_duration(*text);
  if (value && *value >= option.min && *value <= option.max) return *value;
  return misuse(std::string{option.name} + ": \"" + shown(*text) +
                "\" is not allowed; allowed: a duration from " + format_duration(option.min) +
                " to " + format_duration(option.max) + ", such as 1s");
}

// A secret stands alone on the first line of its file.
Result<Secret> secret_in(std::string_view option, const std::string& path) {
  auto content = read_referenced_file({.setting = option, .path = path});
  if (!content) return content;
  const std::string_view text = content->reveal();
  Secret line{std::string{text.substr(0, text.find_first_of("\r\n"))}};
  if (line.empty()) return misuse(std::string{option} + ": the first line of the file is empty");
  return line;
}

class MonitorCommand final : public Command {
 public:
  About about() const override {
    return {
        .name = "monitor",
        .summary = "measure on running instances whether reads keep the promise of consistency",
        .examples =
            "  user-manager monitor --token-file admin.token http://10.0.0.1:8080 "
            "http://10.0.0.2:8080\n"
            "  user-manager monitor --email monitor@example.org --password-file pw \\\n"
            "    --follow-sample 100 --metrics-listen 127.0.0.1:9100 https://users.example.org\n"
            "Runs until SIGTERM or Ctrl-C. Exit code 1: a read broke the promise.",
        .settings = SettingFlags::none};
  }

  void declare(Options& options) override {
    options.positionals({"URL", "an instance, such as http://10.0.0.1:8080; each one once"}, urls_);
    options.text(
        {"--token-file", "a token of an administrator; read again when it is refused", "FILE"},
        token_file_);
    options.text({"--email", "instead: the administrator as whom the monitor signs in", "ADDRESS"},
                 email_);
    options.text({"--password-file", "the password of --email", "FILE"}, password_file_);
    options.text({"--ca-file",
                  "PEM; certificates that https:// is checked against [default: the "
                  "system's]",
                  "FILE"},
                 ca_file_);
    options.text({"--interval", "between two writes [default: 1s]", "DURATION"}, interval_);
    options.text({"--probes", "probe users [default: 4]", "NUMBER"}, probes_);
    options.text(
        {"--follow", "users that are only read: ids separated by commas [default: none]", "IDS"},
        follow_);
    options.text({"--follow-sample", "so many more, chosen at random [default: 0]", "NUMBER"},
                 follow_sample_);
    options.text({"--duration", "0s: until it is stopped [default: 0s]", "DURATION"}, duration_);
    options.text(
        {"--report-interval", "between two lines of the report [default: 1min]", "DURATION"},
        report_interval_);
    options.text({"--bound",
                  "how late a read of a probe may be [default: what the instances promise: 0s if "
                  "they are strict, else their staleness-bound]",
                  "DURATION"},
                 bound_);
    options.text({"--follow-bound",
                  "the same of followed users, which other programs may change in the database "
                  "[default: staleness-bound of the instances]",
                  "DURATION"},
                 follow_bound_);
    options.text({"--timeout", "of one request [default: 5s]", "DURATION"}, timeout_);
    options.text(
        {"--metrics-listen", "where GET /metrics is answered [default: nowhere]", "ADDRESS"},
        metrics_listen_);
  }

  Result<ExitCode> run(const Context& context) override {
    auto instances = read_instances();
    if (!instances) return fail(instances.error());
    auto account = read_account();
    if (!account) return fail(account.error());
    const auto options = read_options();
    if (!options) return fail(options.error());
    const auto listen = read_listen();
    if (!listen) return fail(listen.error());

    // Before any thread is made: threads inherit the signals that it blocks.
    const auto interrupts = context.io.watch_interrupts ? context.io.watch_interrupts() : nullptr;
    Report report{{.clock = context.io.clock, .out = context.io.out, .json = context.json},
                  instances->servers};
    const auto metrics = serve_metrics(context, *listen, report);
    Instances calls{*std::move(instances), *std::move(account), context.io.clock};
    Monitor monitor{{.clock = context.io.clock,
                     .instances = calls,
                     .report = report,
                     .note = [&](const std::string& line) { note(context, line); },
                     .stop = [&] { return interrupts != nullptr && interrupts->requested(); }},
                    *options};
    if (auto ran = monitor.run(); !ran) return fail(ran.error());
    return judge(context, report);
  }

 private:
  static void note(const Context& context, const std::string& line) {
    context.io.err << "user-manager: " << shown(line) << std::endl;
  }

  static Result<ExitCode> judge(const Context&, Report& report) {
    report.end();
    const InstanceTally total = report.total();
    if (total.broken > 0) return ExitCode::failed;
    if (total.reads == 0) return fail(ErrorCode::unavailable, "no read was answered");
    return ExitCode::done;
  }

  std::unique_ptr<MetricsServer> serve_metrics(const Context& context,
                                               const std::optional<ListenAddress>& listen,
                                               const Report& report) const {
    if (!listen) return nullptr;
    auto server = std::make_unique<MetricsServer>(
        MetricsServer::Address{.host = listen->address, .port = listen->port},
        [&report] { return report.metrics(); });
    ListenAddress bound = *listen;
    bound.port = server->port();
    note(context, "metrics on http://" + bound.text() + "/metrics");
    return server;
  }

  Result<Instances::Options> read_instances() const {
    Instances::Options options;
    for (const std::string& url : urls_) {
      auto server = http_client::parse_base_url(url);
      if (!server) return misuse("URL: \"" + without_user(url) + "\" " + server.error().detail);
      if (std::ranges::find(options.servers, *server) != options.servers.end())
        return misuse("URL: " + shown(*server) + " is given twice");
      options.servers.push_back(*std::move(server));
    }
    if (ca_file_) {
      const ReferencedFile file{.setting = "--ca-file", .path = *ca_file_};
      if (auto checked = check_referenced_file(file); !checked) return fail(checked.error());
      options.client.ca_file = *ca_file_;
    }
    const auto timeout = duration_of({"--timeout", 5s, 100ms, 1min}, timeout_);
    if (!timeout) return fail(timeout.error());
    options.client.call_time = *timeout;
    return options;
  }

  static std::string without_user(std::string_view url) {
    const auto at = url.rfind('@');
    return at == std::string_view::npos ? shown(url) : "…" + shown(url.substr(at));
  }

  Result<MonitorAccount> read_account() const {
    if (token_file_.has_value() == email_.has_value())
      return misuse("give --token-file, or --email and --password-file");
    if (email_.has_value() != password_file_.has_value())
      return misuse("--email and --password-file belong together");
    if (email_) {
      auto password = secret_in("--password-file", *password_file_);
      if (!password) return fail(password.error());
      return MonitorAccount{.email = *email_, .password = *std::move(password)};
    }
    if (auto token = secret_in("--token-file", *token_file_); !token) return fail(token.error());
    return MonitorAccount{
        .read_token = [path = *token_file_] { return secret_in("--token-file", path); }};
  }

  Result<MonitorOptions> read_options() const {
    MonitorOptions options;
    const auto interval = duration_of({"--interval", 1s, 10ms, 1min}, interval_);
    if (!interval) return fail(interval.error());
    const auto probes =
        number_of({.name = "--probes", .fallback = 4, .min = 1, .max = 20}, probes_);
    if (!probes) return fail(probes.error());
    const auto sample = number_of(
        {.name = "--follow-sample", .fallback = 0, .min = 0, .max = 1'000}, follow_sample_);
    if (!sample) return fail(sample.error());
    const auto duration = duration_of({"--duration", 0s, 0s, 24h * 365}, duration_);
    if (!duration) return fail(duration.error());
    const auto report = duration_of({"--report-interval", 1min, 1s, 24h}, report_interval_);
    if (!report) return fail(report.error());
    auto follow = read_ids();
    if (!follow) return fail(follow.error());
    options = {.interval = *interval,
               .probes = *probes,
               .follow = *std::move(follow),
               .follow_sample = *sample,
               .duration = *duration,
               .report_interval = *report};
    if (auto read = read_bound("--bound", bound_, options.bound); !read) return fail(read.error());
    if (auto read = read_bound("--follow-bound", follow_bound_, options.follow_bound); !read)
      return fail(read.error());
    return options;
  }

  static Result<void> read_bound(std::string_view name, const std::optional<std::string>& text,
                                 std::optional<milliseconds>& bound) {
    if (!text) return {};
    const auto value = duration_of({name, 0s, 0s, 10min}, text);
    if (!value) return fail(value.error());
    bound = *value;
    return {};
  }

  Result<std::vector<std::int64_t>> read_ids() const {
    std::vector<std::int64_t> ids;
    if (!follow_) return ids;
    std::string_view rest = *follow_;
    while (true) {
      const auto comma = rest.find(',');
      const auto id = UserId::parse(rest.substr(0, comma));
      if (!id) return misuse("--follow: \"" + shown(*follow_) + "\" is not a list of ids");
      if (std::ranges::find(ids, id->value()) == ids.end()) ids.push_back(id->value());
      if (comma == std::string_view::npos) return ids;
      rest.remove_prefix(comma + 1);
    }
  }

  // In the words, and by the rules, of the setting `listen`.
  Result<std::optional<ListenAddress>> read_listen() const {
    if (!metrics_listen_) return std::nullopt;
    const auto settings = make_setting_table();
    const auto setting = std::ranges::find(settings, "listen", &Setting::name);
    Config config;
    if (!setting->assign(config, *metrics_listen_))
      return misuse("--metrics-listen: \"" + shown(*metrics_listen_) +
                    "\" is not allowed; allowed: " + setting->allowed);
    return config.listen;
  }

  std::vector<std::string> urls_;
  std::optional<std::string> token_file_;
  std::optional<std::string> email_;
  std::optional<std::string> password_file_;
  std::optional<std::string> ca_file_;
  std::optional<std::string> probes_;
  std::optional<std::string> follow_;
  std::optional<std::string> follow_sample_;
  std::optional<std::string> bound_;
  std::optional<std::string> follow_bound_;
  std::optional<std::string> metrics_listen_;
  std::optional<std::string> interval_;
  std::optional<std::string> duration_;
  std::optional<std::string> report_interval_;
  std::optional<std::string> timeout_;
};

}  // namespace

std::unique_ptr<Command> make_monitor_command() {
  return std::make_unique<MonitorCommand>();
}

}  // namespace um
