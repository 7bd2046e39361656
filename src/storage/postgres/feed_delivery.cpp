#include "storage/postgres/feed_delivery.hpp"

#include <algorithm>
#include <utility>

namespace um {

void FeedDelivery::before_commit(std::span<const std::string> keys) {
  if (listener_ != nullptr) listener_->hold(keys);
}

void FeedDelivery::after_commit(std::span<const std::string> keys, const WriteEnd& end,
                                BootTime now) {
  if (listener_ == nullptr) return;
  if (end.fate == WriteEnd::Fate::not_committed) return listener_->settle(keys, std::nullopt);
  if (end.fate == WriteEnd::Fate::committed && end.tau == tau_) {
    settled_.add(now, keys);
    return listener_->settle(keys, end.xid);
  }
  held_on_.push_back({.since = now, .keys = {keys.begin(), keys.end()}});
}

void FeedDelivery::without_connection(BootTime now, std::chrono::nanoseconds bound) {
  if (listener_ == nullptr || now < disconnected_at_ + longest_lease(bound)) return;
  for (const HeldOn& held : held_on_) {
    settled_.add(now, held.keys);
    listener_->settle(held.keys, std::nullopt);
  }
  held_on_.clear();
}

bool FeedDelivery::acknowledged(std::size_t rows, const Snapshot& seen) {
  steps_.acknowledged(rows, seen);
  return row_is_there(rows);
}

bool FeedDelivery::refreshed(std::size_t rows, std::int64_t others, BootTime sent_at) {
  steps_.refreshed(rows, others, sent_at);
  return row_is_there(rows);
}

bool FeedDelivery::row_is_there(std::size_t rows) {
  if (rows == 0) end_lease();
  return rows > 0;
}

auto FeedDelivery::begin(PostgresPolls::Answer answer, const FeedSteps::Settings& settings,
                         BootTime now) -> std::optional<Delivery> {
  const BootTime sent_at = answer.sent_at;
  settled_.forget_until(sent_at);
  Delivery delivery{.flushes = steps_.starts_over(answer)};
  if (delivery.flushes && !settled_.complete_since(sent_at)) {
    steps_.skip(sent_at, now);  // the next poll is sent later
    return std::nullopt;
  }
  const auto older =
      std::ranges::partition(held_on_, [&](const HeldOn& held) { return held.since >= sent_at; });
  for (HeldOn& held : older) delivery.released.push_back(std::move(held.keys));
  held_on_.erase(older.begin(), older.end());
  delivery.applied = steps_.take(std::move(answer), settings, now);
  tau_ = delivery.applied.poll.stamp.tau;
  if (!delivery.applied.poll.gives_lease) end_lease();
  if (!delivery.flushes) return delivery;  // the log is kept, so own writes may settle meanwhile
  if (auto keys = settled_.keys(); !keys.empty()) {
    listener_->hold(keys);
    held_on_.push_back({.since = now, .keys = std::move(keys)});
  }
  return delivery;
}

void FeedDelivery::finish(const Delivery& delivery) {
  for (const auto& keys : delivery.released) listener_->settle(keys, std::nullopt);
  if (delivery.applied.vouched_at) listener_->acknowledge_refresh(*delivery.applied.vouched_at);
}

}  // namespace um
