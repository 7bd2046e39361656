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
  return {.since = last_, .limit = limits_.changes + 1};
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
            .holds = std::move(answer.holds),
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
