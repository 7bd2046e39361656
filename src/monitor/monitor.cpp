#include "monitor/monitor.hpp"

#include <algorithm>
#include <utility>

#include "base/database_times.hpp"

namespace um {
namespace {

using namespace std::chrono_literals;
using http_client::Answer;

// Between two reads of one key at one instance in a round: short at first, because breaks are, and
// longer while a write hangs.
constexpr std::chrono::milliseconds kShortestPause{5};
constexpr std::chrono::milliseconds kLongestPause{160};
constexpr int kReadsAfterWrite = 4;
constexpr std::size_t kFollowedPerRound = 16;
constexpr std::chrono::milliseconds kStopCheck{100};
constexpr std::size_t kMostAbandoned = 1'000;
constexpr std::chrono::minutes kSettled{1};
constexpr std::size_t kPage = 100;

// A monitor measures time with another clock than the instance that renews its lease.
std::chrono::nanoseconds with_tolerance(std::chrono::nanoseconds bound) {
  return bound == 0ns ? bound : longest_lease(bound);
}

bool is_gone(const Answer& answer_to_delete) {
  return answer_to_delete.status == 200 || answer_to_delete.status == 404;
}

}  // namespace

struct Monitor::Round {
  bool writing = true;
};

Monitor::Monitor(Parts parts, MonitorOptions options)
    : parts_{std::move(parts)}, options_{std::move(options)} {}

Result<void> Monitor::run() {
  if (auto begun = begin(); !begun) {
    end();
    return begun;
  }
  loop();
  end();
  return {};
}

Monitor::ProbeRef Monitor::make_probe() const {
  return std::make_shared<Probe>(make_probe_address(), bound_);
}

Result<void> Monitor::begin() {
  if (auto begun = parts_.instances.begin(); !begun) return begun;
  learn_terms();
  if (auto created = create_first_probe(); !created) return created;
  remove_left_overs();
  while (probes_.size() < options_.probes) probes_.push_back(make_probe());
  for (const std::int64_t id : options_.follow)
    followed_.push_back(std::make_shared<WatchedKey>(WatchedKey::of_id(id, follow_bound_)));
  choose_sample();
  // Others may remove a followed user at any time.
  for (const KeyRef& key : followed_) key->history().absence_may_begin(2);
  return {};
}

void Monitor::learn_terms() {
  const Answer answer = parts_.instances.ask_any([](const auto& server, const Secret& token) {
    return get_call(server, "/cache/stats", token);
  });
  const auto said = promise_in(answer);
  const PromiseTerms terms = said.value_or(PromiseTerms{});
  const auto of_probes = terms.strict ? 0ms : terms.staleness_bound;
  bound_ = with_tolerance(options_.bound.value_or(of_probes));
  follow_bound_ = with_tolerance(options_.follow_bound.value_or(terms.staleness_bound));
}

// The first write shows whether the account may write at all.
Result<void> Monitor::create_first_probe() {
  Answer answer;
  for (std::size_t instance = 0; instance < parts_.instances.size(); ++instance) {
    const ProbeRef probe = make_probe();
    const Probe::Write write = probe->begin_write();
    answer = parts_.instances.ask(instance, [&](const auto& server, const Secret& token) {
      return write_call(server, write, probe->email(), token);
    });
    end_write(probe, write.kind, instance, answer);
    if (probe->id()) {
      probes_.push_back(probe);
      return {};
    }
    abandon(*probe);
  }
  if (answer.status == 401 || answer.status == 403)
    return fail(ErrorCode::forbidden,
                "the monitor needs the account of an administrator: " + failure_line(answer));
  return fail(ErrorCode::unavailable, "no instance creates a probe user: " + failure_line(answer));
}

void Monitor::choose_sample() {
  const auto newest = static_cast<std::uint64_t>(probes_.front()->id().value_or(1));
  const std::size_t wanted = followed_.size() + options_.follow_sample;
  for (std::size_t tries = 0; followed_.size() < wanted && tries < 3 * wanted; ++tries) {
    if (parts_.stop()) return;
    const std::string path =
        "/users?per_page=1&after=" +
        std::to_string(std::uniform_int_distribution<std::uint64_t>{0, newest}(random_));
    const auto users = users_in(parts_.instances.ask_any(
        [&](const auto& server, const Secret& token) { return get_call(server, path, token); }));
    if (!users || users->empty() || is_probe_address(users->front().email)) continue;
    auto key = std::make_shared<WatchedKey>(WatchedKey::of_id(users->front().id, follow_bound_));
    const bool is_new = std::ranges::none_of(
        followed_, [&](const KeyRef& other) { return other->path() == key->path(); });
    if (is_new) followed_.push_back(std::move(key));
  }
}

// Probes of monitors that were killed. Those of another monitor that runs were changed lately.
void Monitor::remove_left_overs() {
  std::int64_t after = 0;
  while (!parts_.stop()) {
    const std::string path = "/users/search?keyword=" + std::string{kProbeKeyword} +
                             "&per_page=" + std::to_string(kPage) +
                             "&after=" + std::to_string(after);
    const auto users = users_in(parts_.instances.ask_any(
        [&](const auto& server, const Secret& token) { return get_call(server, path, token); }));
    if (!users) return parts_.note("left-over probe users could not be looked for");
    for (const ListedUser& user : *users) {
      after = std::max(after, user.id);
      if (is_left_over(user, parts_.clock.wall_now())) remove_user(user.email, user.id);
    }
    if (users->size() < kPage) return;
  }
}

void Monitor::at(BootTime moment, std::function<void()> action) {
  if (!stopping_) due_.emplace(moment, std::move(action));
}

void Monitor::run_due(BootTime now) {
  while (!due_.empty() && due_.begin()->first <= now) {
    const auto next = due_.extract(due_.begin());
    next.mapped()();
  }
}

void Monitor::loop() {
  const BootTime began = parts_.clock.now();
  const BootTime end = options_.duration == 0ms ? BootTime::max() : began + options_.duration;
  BootTime next_round = began;
  BootTime next_report = began + options_.report_interval;
  while (!parts_.stop()) {
    const BootTime now = parts_.clock.now();
    if (now >= end) return;
    if (now >= next_round) {
      begin_round();
      next_round = std::max(next_round + options_.interval, now);
    }
    if (now >= next_report) {
      parts_.report.end_interval();
      next_report += options_.report_interval;
    }
    run_due(now);
    BootTime until = std::min({now + kStopCheck, next_round, next_report, end});
    if (!due_.empty()) until = std::min(until, due_.begin()->first);
    parts_.instances.run_until(until);
  }
}

void Monitor::begin_round() {
  // Each lap changes every probe, and in each lap a probe is at its next instance.
  const std::size_t lap = rounds_ / probes_.size();
  const std::size_t turn = rounds_ % probes_.size();
  const std::size_t instance = (lap + turn) % parts_.instances.size();
  ProbeRef& probe = probes_[turn];
  ++rounds_;
  if (probe->is_retired()) {
    abandon(*probe);
    probe = make_probe();
  }
  if (!probe->is_writing()) {
    const auto round = std::make_shared<Round>();
    for (const KeyRef& key : probe->keys()) read_everywhere(round, key);
    write(probe, instance, round);
  }
  read_others(probe);
  read_followed();
  look_for_abandoned();
}

void Monitor::write(const ProbeRef& probe, std::size_t instance, const RoundRef& round) {
  const Probe::Write write = probe->begin_write();
  const bool started = parts_.instances.start(
      instance,
      [&](const auto& server, const Secret& token) {
        return write_call(server, write, probe->email(), token);
      },
      [this, probe, kind = write.kind, instance, round,
       before = probe->keys()](const Answer& answer) {
        end_write(probe, kind, instance, answer);
        round->writing = false;
        for (const KeyRef& key : probe->keys())  // the id of a user that was created just now
          if (std::ranges::find(before, key) == before.end()) read_everywhere(round, key);
      });
  if (started) return;
  round->writing = false;
  probe->end_write({.outcome = WriteResult::Outcome::not_done}, instance, parts_.clock.now());
}

void Monitor::end_write(const ProbeRef& probe, Probe::Write::Kind kind, std::size_t instance,
                        const Answer& answer) {
  const WriteResult result = write_result(kind, answer);
  if (result.outcome == WriteResult::Outcome::done)
    parts_.report.written(instance);
  else
    parts_.report.error(instance, "a write: " + failure_line(answer));
  if (answer.status == 401) parts_.instances.renew();
  probe->end_write(result, instance, parts_.clock.now());
}

void Monitor::read(const KeyRef& key, std::size_t instance, std::function<void()> then) {
  if (stopping_) return;
  const KeyHistory::Floor floor = key->begin_read(instance, parts_.clock.now());
  parts_.instances.start(
      instance,
      [&](const auto& server, const Secret& token) { return get_call(server, key->path(), token); },
      [this, key, instance, floor, then = std::move(then)](const Answer& answer) {
        judge(key, instance, floor, answer);
        then();
      });
}

void Monitor::judge(const KeyRef& key, std::size_t instance, const KeyHistory::Floor& floor,
                    const Answer& answer) {
  const ReadAnswer read = read_answer(answer);
  if (read.kind == ReadAnswer::Kind::excused) return parts_.report.excused(instance);
  if (read.kind == ReadAnswer::Kind::error) {
    if (answer.status == 401) parts_.instances.renew();
    return parts_.report.error(instance, read.error);
  }
  const BootTime now = parts_.clock.now();
  const Verdict verdict = key->end_read(floor, read.reading, now);
  if (verdict.kind == Verdict::Kind::foreign)
    return parts_.report.error(instance, "another program uses " + key->name());
  parts_.report.read(instance, now - floor.at);
  if (verdict.kind == Verdict::Kind::broken) parts_.report.broken(instance, key->name(), verdict);
}

void Monitor::read_in_round(const RoundRef& round, const KeyRef& key, std::size_t instance) {
  struct Reader {
    int left = kReadsAfterWrite;
    std::chrono::milliseconds pause = kShortestPause;
  };
  const auto reader = std::make_shared<Reader>();
  const auto step = std::make_shared<std::function<void()>>();
  // The function holds itself weakly; the read that is under way, or due, holds it.
  *step = [this, round, key, instance, reader, weak = std::weak_ptr{step}] {
    const bool is_after = !round->writing;
    read(key, instance, [this, is_after, reader, self = weak.lock()] {
      if (is_after && --reader->left <= 0) return;
      const auto pause = std::exchange(reader->pause, std::min(2 * reader->pause, kLongestPause));
      at(parts_.clock.now() + pause, [self] { (*self)(); });
    });
  };
  (*step)();
}

void Monitor::read_everywhere(const RoundRef& round, const KeyRef& key) {
  for (std::size_t instance = 0; instance < parts_.instances.size(); ++instance)
    read_in_round(round, key, instance);
}

// Each read begins after the one before has ended, so it must not return an older state.
void Monitor::read_in_turn(const KeyRef& key, std::size_t first, std::size_t step) {
  const std::size_t instances = parts_.instances.size();
  if (step > instances) return;
  read(key, (first + step) % instances,
       [this, key, first, step] { read_in_turn(key, first, step + 1); });
}

void Monitor::read_others(const ProbeRef& written) {
  for (const ProbeRef& probe : probes_) {
    if (probe == written) continue;
    for (const KeyRef& key : probe->keys()) read_in_turn(key, any_instance(), 0);
  }
}

void Monitor::read_followed() {
  const std::size_t count = std::min(kFollowedPerRound, followed_.size());
  for (std::size_t i = 0; i < count; ++i)
    read_in_turn(followed_[next_followed_++ % followed_.size()], any_instance(), 0);
}

void Monitor::abandon(const Probe& probe) {
  if (probe.may_exist()) look_later(probe.email());
}

void Monitor::look_later(const std::string& email) {
  abandoned_.push_back({.email = email, .since = parts_.clock.now()});
  if (abandoned_.size() > kMostAbandoned) abandoned_.pop_front();  // the next monitor finds it
}

// One in each round. After kSettled a write with an unknown outcome has happened, or never will.
void Monitor::look_for_abandoned() {
  if (abandoned_.empty() || parts_.clock.now() < abandoned_.front().since + kSettled) return;
  const std::string email = std::move(abandoned_.front().email);
  abandoned_.pop_front();
  const bool started = parts_.instances.start(
      any_instance(),
      [&](const auto& server, const Secret& token) {
        return primary_call(server, email_path(email), token);
      },
      [this, email](const Answer& answer) {
        const ReadAnswer read = read_answer(answer);
        if (read.kind != ReadAnswer::Kind::state) return look_later(email);
        if (read.reading) remove_abandoned(email, read.reading->id);
      });
  if (!started) look_later(email);
}

void Monitor::remove_abandoned(const std::string& email, std::int64_t id) {
  const bool started = parts_.instances.start(
      any_instance(),
      [&](const auto& server, const Secret& token) { return delete_call(server, id, token); },
      [this, email](const Answer& answer) {
        if (!is_gone(answer)) look_later(email);
      });
  if (!started) look_later(email);
}

void Monitor::end() {
  stopping_ = true;
  due_.clear();
  while (parts_.instances.under_way() > 0)  // each call has a time limit
    parts_.instances.run_until(parts_.clock.now() + kStopCheck);
  remove_probes();
  parts_.instances.end();
}

void Monitor::remove_probes() {
  std::size_t left = 0;
  for (const ProbeRef& probe : probes_)
    if (probe->may_exist() && !remove_user(probe->email(), probe->id())) ++left;
  for (const Abandoned& probe : abandoned_)
    if (!remove_user(probe.email, std::nullopt)) ++left;
  if (left > 0)
    parts_.note(std::to_string(left) +
                " probe users could not be removed; a monitor that starts in an hour removes them");
}

bool Monitor::remove_user(const std::string& email, std::optional<std::int64_t> id) {
  if (!id) {
    const ReadAnswer read =
        read_answer(parts_.instances.ask_any([&](const auto& server, const Secret& token) {
          return primary_call(server, email_path(email), token);
        }));
    if (read.kind != ReadAnswer::Kind::state) return false;
    if (!read.reading) return true;
    id = read.reading->id;
  }
  const Answer answer = parts_.instances.ask_any(
      [&](const auto& server, const Secret& token) { return delete_call(server, *id, token); });
  return is_gone(answer);
}

}  // namespace um
