#include "storage/postgres/polls.hpp"

#include <utility>

#include "storage/postgres/rows.hpp"

namespace um {

namespace {

bool misses_what_was_purged(const PostgresPolls::Answer& answer, const Snapshot& since) {
  return answer.horizon && !covers(since, *answer.horizon);
}

}  // namespace

PostgresPolls::Question PostgresPolls::next() const {
  // One more than the limit shows that there are too many.
  if (restart_reason_) return {.since = std::nullopt, .limit = 2 * limits_.changes + 1};
  Question question{.since = last_, .limit = limits_.changes + 1};
  for (const auto& [id, since] : holds_since_) question.known_holds.push_back(id);
  return question;
}

std::optional<std::string_view> PostgresPolls::reason_to_start_over(const Answer& answer) const {
  if (restart_reason_) return restart_reason_;
  if (answer.name_space != name_space_) return "namespace";
  if (answer.now.xmax < last_.xmax) return "went_back";
  if (answer.changes.size() > limits_.changes) return "too_many_changes";
  if (misses_what_was_purged(answer, last_)) return "purged";
  return std::nullopt;
}

bool PostgresPolls::starts_over(const Answer& answer) const {
  return reason_to_start_over(answer).has_value();
}

Poll PostgresPolls::take(Answer answer) {
  Poll poll{.sent_at = answer.sent_at,
            .stamp = {.tau = tau_of(answer.name_space), .snapshot = answer.now},
            .changes = {},
            .holds = take_holds(answer),
            .flush_reason = reason_to_start_over(answer)};
  const bool complete = restart_reason_ ? answer.changes.size() <= 2 * limits_.changes &&
                                              !misses_what_was_purged(answer, answer.since)
                                        : !poll.flush_reason.has_value();
  if (complete) {
    poll.changes = std::move(answer.changes);
    if (poll.flush_reason) poll.base = std::move(answer.since);
  }
  restart_reason_ = std::nullopt;
  name_space_ = std::move(answer.name_space);
  last_ = std::move(answer.now);
  return poll;
}

// Returns the held keys.
std::vector<std::string> PostgresPolls::take_holds(const Answer& answer) {
  if (is_elsewhere(answer)) holds_since_.clear();
  holds_ = {answer.holds.begin(), answer.holds.end()};
  std::map<std::string, BootTime> since;
  std::set<std::string> keys;
  for (const Hold& hold : holds_) {
    const auto known = holds_since_.find(hold.id);
    since.emplace(hold.id, known == holds_since_.end() ? answer.sent_at : known->second);
    keys.insert(hold.key);
  }
  holds_since_ = std::move(since);
  return {keys.begin(), keys.end()};
}

std::vector<std::string> PostgresPolls::holds_known_since(BootTime then) const {
  std::vector<std::string> ids;
  for (const auto& [id, since] : holds_since_)
    if (since <= then) ids.push_back(id);
  return ids;
}

void SettledWrites::add(BootTime settled_at, std::span<const std::string> keys) {
  writes_.push_back({.at = settled_at, .keys = {keys.begin(), keys.end()}});
  keys_ += keys.size();
  if (keys_ <= max_keys_) return;
  forgotten_at_ = settled_at;
  writes_.clear();
  keys_ = 0;
}

void SettledWrites::forget_until(BootTime sent_at) {
  while (!writes_.empty() && writes_.front().at < sent_at) {
    keys_ -= writes_.front().keys.size();
    writes_.pop_front();
  }
}

std::vector<std::string> SettledWrites::keys() const {
  std::vector<std::string> all;
  all.reserve(keys_);
  for (const Write& write : writes_) all.insert(all.end(), write.keys.begin(), write.keys.end());
  return all;
}

}  // namespace um
