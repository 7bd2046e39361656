#include "storage/postgres/feed_steps.hpp"

#include <algorithm>
#include <utility>

namespace um {

namespace {

using namespace std::chrono_literals;

// A reaper removes older ones.
constexpr std::size_t kMostFormerIds = 8;

}  // namespace

FeedSteps::FeedSteps(Options options) : options_{std::move(options)}, polls_{options_.limits} {}

FeedSteps::Step FeedSteps::next(BootTime now) const {
  if (!connected_) return {.act = Act::wait};
  if (now < retry_due_) return {.act = Act::wait, .until = retry_due_};
  if (retired_) {
    if (registered()) return {.act = Act::leave, .former_ids = rows()};
    return {.act = Act::wait};
  }
  if (namespace_missing_) return {.act = Act::repair};
  BootTime next = poll_due_;
  const auto is_due = [&](BootTime due) {
    next = std::min(next, due);
    return now >= due;
  };
  if (!registered()) {
    if (is_due(join_due_))
      return {.act = Act::join, .id = options_.new_id(), .former_ids = former_ids_};
    if (needs_registration()) return {.act = Act::wait, .until = join_due_};
  } else {
    const BootTime refresh = std::max(refresh_due_, refresh_allowed_);
    const bool refresh_is_due = is_due(refresh);
    if (now >= std::max(refresh_due_ + options_.refresh_every, refresh_allowed_))
      return {.act = Act::refresh, .id = id_};
    if (to_acknowledge_ && is_due(acknowledge_due_))
      return {.act = Act::acknowledge, .id = id_, .seen = *to_acknowledge_};
    if (refresh_is_due && now < poll_due_) return {.act = Act::refresh, .id = id_};
  }
  if (now >= poll_due_) return {.act = Act::poll, .question = polls_.next()};
  return {.act = Act::wait, .until = next};
}

void FeedSteps::connected() {
  connected_ = true;
  give_up_id();
  namespace_missing_ = false;
  poll_due_ = poll_allowed_ = join_due_ = retry_due_ = BootTime::min();
  acknowledge_due_ = refresh_allowed_ = BootTime::min();
  polls_.connection_lost();
  update_terms();
}

void FeedSteps::disconnected() {
  connected_ = false;
  polls_.connection_lost();
}

void FeedSteps::woken() {
  poll_due_ = std::min(poll_due_, poll_allowed_);
}

void FeedSteps::waited(BootTime until, BootTime now) {
  for (BootTime* due :
       {&poll_due_, &refresh_due_, &refresh_allowed_, &acknowledge_due_, &join_due_, &retry_due_})
    if (*due == until) *due = std::min(*due, now);
}

void FeedSteps::refused(Act act, BootTime now) {
  const BootTime later = now + options_.retry_registry_after;
  switch (act) {
    case Act::join:
      join_due_ = needs_registration() ? now + options_.retry_after : later;
      break;
    case Act::acknowledge:
      acknowledge_due_ = later;
      break;
    case Act::refresh:
      refresh_allowed_ = later;
      break;
    default:
      retry_due_ = now + options_.retry_after;
  }
}

void FeedSteps::joining(const std::string& id) {
  former_ids_.push_back(id);
  if (former_ids_.size() > kMostFormerIds) former_ids_.erase(former_ids_.begin());
}

std::vector<std::string> FeedSteps::rows() const {
  std::vector<std::string> all = former_ids_;
  if (registered()) all.push_back(id_);
  return all;
}

void FeedSteps::joined(const std::string& id, const std::string& name_space, std::int64_t others,
                       BootTime sent_at) {
  id_ = id;
  former_ids_.clear();
  joined_in_ = name_space;
  others_ = others;
  refresh_due_ = sent_at + options_.refresh_every;
  to_vouch_ = sent_at;
  to_acknowledge_.reset();
  acknowledges_all_ = true;
  poll_due_ = BootTime::min();
  update_terms();
}

void FeedSteps::refreshed(std::size_t rows, std::int64_t others, BootTime sent_at) {
  if (rows == 0) return expelled();
  refresh_due_ = sent_at + options_.refresh_every;
  to_vouch_ = sent_at;
  others_ = others;
  update_terms();
}

void FeedSteps::acknowledged(std::size_t rows, const Snapshot& seen) {
  if (rows == 0) return expelled();
  if (to_acknowledge_ == seen) to_acknowledge_.reset();
  acknowledge_due_ = BootTime::min();
}

void FeedSteps::repaired() {
  namespace_missing_ = false;
  poll_due_ = BootTime::min();
}

void FeedSteps::left() {
  id_.clear();
  former_ids_.clear();
  update_terms();
}

void FeedSteps::note_company() {
  others_ = std::max<std::int64_t>(others_, 1);
  update_terms();
}

void FeedSteps::give_up_id() {
  if (registered()) joining(std::exchange(id_, {}));
  to_acknowledge_.reset();
  to_vouch_.reset();
}

void FeedSteps::expelled() {
  give_up_id();
  polls_.expelled();
  update_terms();
}

void FeedSteps::polled(BootTime sent_at, BootTime now) {
  poll_allowed_ = sent_at + std::max<std::chrono::nanoseconds>(1ms, 3 * (now - sent_at));
  poll_due_ = std::max(sent_at + options_.poll_interval, poll_allowed_);
}

void FeedSteps::found_no_namespace(BootTime sent_at, BootTime now) {
  polled(sent_at, now);
  polls_.connection_lost();
  namespace_missing_ = true;
}

void FeedSteps::skip(BootTime sent_at, BootTime now) {
  polled(sent_at, now);
  poll_due_ = poll_allowed_;
}

FeedSteps::Applied FeedSteps::take(PostgresPolls::Answer answer, const Settings& settings,
                                   BootTime now) {
  polled(answer.sent_at, now);
  Applied applied;
  applied.new_namespace = polls_.is_elsewhere(answer);
  const bool join_again = registered() && answer.name_space != joined_in_;
  std::set<PostgresPolls::Hold> before = polls_.holds();
  if (std::exchange(acknowledges_all_, false)) before.clear();
  if (applied.new_namespace) terms_.emplace().first_seen = now;
  applied.poll = polls_.take(std::move(answer));
  applied.poll.received_at = now;

  terms_->name_space = polls_.name_space();
  terms_->epoch = settings.epoch;
  terms_->mode = settings.times.mode;
  const auto bound = std::max(settings.times.staleness_bound, settings.former_bound);
  terms_->longest_lease = longest_lease(bound);

  if (!same_namespace(settings.times, options_.times)) {
    retired_ = true;
    terms_->outdated = true;
    applied.poll.gives_lease = false;
  } else if (join_again) {
    give_up_id();
    applied.poll.gives_lease = !needs_registration();
  } else {
    applied.vouched_at = std::exchange(to_vouch_, std::nullopt);
    if (has_fresh_holds(before)) to_acknowledge_ = polls_.last();
  }
  update_terms();
  return applied;
}

bool FeedSteps::has_fresh_holds(const std::set<PostgresPolls::Hold>& before) const {
  return std::ranges::any_of(polls_.holds(), [&](const PostgresPolls::Hold& hold) {
    const bool own = !options_.own_holds.empty() && hold.id.starts_with(options_.own_holds);
    return !own && !before.contains(hold);
  });
}

void FeedSteps::update_terms() {
  if (!terms_) return;
  terms_->instance = registered() ? std::optional{id_} : std::nullopt;
  terms_->company = others_ > 0;
}

}  // namespace um
