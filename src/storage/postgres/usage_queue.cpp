#include "storage/postgres/usage_queue.hpp"

#include <algorithm>

namespace um {

bool UsageQueue::push(Ticket ticket) {
  if (waiting_.size() >= limits_.waiting) return false;
  waiting_.push_back(std::move(ticket));
  return true;
}

std::vector<UsageQueue::Ticket> UsageQueue::take() {
  std::vector<Ticket> batch;
  if (running_ == limits_.running) return batch;
  for (auto it = waiting_.begin(); it != waiting_.end() && batch.size() < limits_.batch;) {
    if (may_start(*it)) {
      batch.push_back(std::move(*it));
      it = waiting_.erase(it);
    } else {
      ++it;
    }
  }
  for (const Ticket& ticket : batch) ++busy_[ticket->record.user];
  if (!batch.empty()) ++running_;
  return batch;
}

void UsageQueue::finish(const std::vector<Ticket>& batch) {
  --running_;
  for (const Ticket& ticket : batch) {
    const auto user = busy_.find(ticket->record.user);
    if (--user->second == 0) busy_.erase(user);
  }
}

bool UsageQueue::withdraw(const Ticket& ticket) {
  const auto it = std::ranges::find(waiting_, ticket);
  if (it == waiting_.end()) return false;
  waiting_.erase(it);
  return true;
}

UsageQueue::Ticket UsageQueue::next() const {
  if (running_ == limits_.running) return nullptr;
  const auto it = std::ranges::find_if(waiting_, [&](const Ticket& t) { return may_start(t); });
  return it == waiting_.end() ? nullptr : *it;
}

}  // namespace um
