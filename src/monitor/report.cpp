#include "monitor/report.hpp"

#include <ostream>

#include <fmt/format.h>

#include "base/json_writer.hpp"
#include "telemetry/metrics_page.hpp"
#include "user/time_text.hpp"

namespace um {
namespace {

double seconds(std::chrono::nanoseconds time) {
  return std::chrono::duration<double>{time}.count();
}
double milliseconds(std::chrono::nanoseconds time) {
  return std::chrono::duration<double, std::milli>{time}.count();
}
double share_of(const InstanceTally& tally) {
  if (tally.reads == 0) return 0;
  return static_cast<double>(tally.broken) / static_cast<double>(tally.reads);
}

void add_counts(JsonWriter& json, const InstanceTally& tally) {
  json.member("reads", tally.reads)
      .member("broken", tally.broken)
      .member("broken_share", share_of(tally))
      .member("greatest_age_seconds", seconds(tally.greatest_age))
      .member("excused", tally.excused)
      .member("writes", tally.writes)
      .member("errors", tally.errors)
      .member("read_p50_ms", milliseconds(tally.read_time.quantile(0.5)))
      .member("read_p99_ms", milliseconds(tally.read_time.quantile(0.99)));
}

}  // namespace

Report::Report(Surroundings around, std::vector<std::string> instances)
    : around_{around},
      instances_{std::move(instances)},
      began_{around.clock.now()},
      interval_began_{began_},
      total_(instances_.size()),
      reached_(instances_.size(), false),
      interval_(instances_.size()),
      last_errors_(instances_.size()) {}

template <class Change>
void Report::count(std::size_t instance, Change change) {
  change(interval_[instance]);
  const std::lock_guard lock{mutex_};
  change(total_[instance]);
}

void Report::read(std::size_t instance, std::chrono::nanoseconds took) {
  count(instance, [&](InstanceTally& tally) {
    ++tally.reads;
    tally.read_time.add(took);
  });
  const std::lock_guard lock{mutex_};
  reached_[instance] = true;
}

void Report::broken(std::size_t instance, const std::string& key, const Verdict& verdict) {
  count(instance, [&](InstanceTally& tally) {
    ++tally.broken;
    tally.greatest_age = std::max(tally.greatest_age, verdict.age);
  });
  if (++lines_ > kMostLines) {
    ++untold_;
    return;
  }
  if (!around_.json) {
    line(fmt::format("{} BROKEN {} {}: {} (for {:.3f} s)", now_text(), instances_[instance], key,
                     verdict.reason, seconds(verdict.age)));
    return;
  }
  JsonWriter json;
  json.open_object().member("event", "broken").member("at", now_text());
  json.member("instance", instances_[instance]).member("key", key);
  json.member("age_seconds", seconds(verdict.age)).member("reason", verdict.reason).close();
  line(json.text());
}

void Report::excused(std::size_t instance) {
  count(instance, [](InstanceTally& tally) { ++tally.excused; });
}

void Report::written(std::size_t instance) {
  count(instance, [](InstanceTally& tally) { ++tally.writes; });
}

void Report::error(std::size_t instance, const std::string& reason) {
  count(instance, [](InstanceTally& tally) { ++tally.errors; });
  last_errors_[instance] = reason;
  const std::lock_guard lock{mutex_};
  reached_[instance] = false;
}

void Report::line(std::string_view text) {
  around_.out << text << '\n' << std::flush;
}

std::string Report::now_text() const {
  return time_text(std::chrono::floor<std::chrono::seconds>(around_.clock.wall_now()));
}

std::string Report::text_of(Span span, const Tally& tally, std::chrono::nanoseconds took) const {
  const InstanceTally sum = sum_of(tally);
  std::string text = fmt::format(
      "{} {} of {:.0f} s: reads {}, broken {} ({:.4f} %), writes {}, errors {}, p50 {:.2f} ms, p99 "
      "{:.2f} ms",
      now_text(), span == Span::summary ? "summary" : "interval", seconds(took), sum.reads,
      sum.broken, 100 * share_of(sum), sum.writes, sum.errors,
      milliseconds(sum.read_time.quantile(0.5)), milliseconds(sum.read_time.quantile(0.99)));
  if (sum.broken > 0) text += fmt::format(", greatest age {:.3f} s", seconds(sum.greatest_age));
  if (sum.excused > 0) text += fmt::format(", excused {}", sum.excused);
  for (std::size_t i = 0; i < tally.size(); ++i) {
    if (tally[i].broken > 0) text += fmt::format("; {}: broken {}", instances_[i], tally[i].broken);
    if (tally[i].errors > 0)
      text += fmt::format("; {}: errors {}{}", instances_[i], tally[i].errors,
                          last_errors_[i].empty() ? "" : " (" + last_errors_[i] + ")");
  }
  if (untold_ > 0) text += fmt::format("; {} broken reads without a line", untold_);
  return text;
}

std::string Report::json_of(Span span, const Tally& tally, std::chrono::nanoseconds took) const {
  JsonWriter json;
  json.open_object();
  json.member("event", span == Span::summary ? "summary" : "interval");
  json.member("number", intervals_).member("at", now_text()).member("seconds", seconds(took));
  add_counts(json, sum_of(tally));
  json.key("instances").open_array();
  for (std::size_t i = 0; i < tally.size(); ++i) {
    json.open_object().member("instance", instances_[i]);
    add_counts(json, tally[i]);
    if (!last_errors_[i].empty()) json.member("last_error", last_errors_[i]);
    json.close();
  }
  json.close().close();
  return json.take();
}

void Report::tell(Span span, const Tally& tally, BootTime since) {
  const auto took = around_.clock.now() - since;
  line(around_.json ? json_of(span, tally, took) : text_of(span, tally, took));
}

void Report::end_interval() {
  ++intervals_;
  tell(Span::interval, interval_, interval_began_);
  interval_ = Tally(instances_.size());
  interval_began_ = around_.clock.now();
  lines_ = 0;
  untold_ = 0;
  last_errors_.assign(instances_.size(), {});
}

void Report::end() {
  tell(Span::summary, total_, began_);
}

std::string Report::metrics() const {
  MetricsPage page;
  const std::lock_guard lock{mutex_};
  for (std::size_t i = 0; i < instances_.size(); ++i) {
    const MetricsPage::Labels of_instance{{"instance", instances_[i]}};
    const auto count = [&](const char* name, const char* help, std::uint64_t value) {
      const std::string full = std::string{"user_manager_monitor_"} + name;
      page.counter({.name = full, .help = help}, of_instance, static_cast<double>(value));
    };
    const InstanceTally& tally = total_[i];
    count("reads_total", "Reads that were answered and judged", tally.reads);
    count("broken_reads_total", "Reads that broke the promise", tally.broken);
    count("excused_reads_total", "Answers that said that they may be stale", tally.excused);
    count("writes_total", "Writes of probe users that were done", tally.writes);
    count("errors_total", "Reads and writes without a usable answer", tally.errors);
    page.gauge({.name = "user_manager_monitor_broken_age_seconds",
                .help = "Greatest time for which a newer state was known when a broken read began"},
               of_instance, seconds(tally.greatest_age));
    page.gauge({.name = "user_manager_monitor_up",
                .help = "1 if the newest call of the instance had a usable answer"},
               of_instance, reached_[i] ? 1 : 0);
  }
  return page.text();
}

}  // namespace um
