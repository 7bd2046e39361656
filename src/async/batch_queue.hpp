// BatchQueue: items that wait for a batch, and which of them may go into the next one.
//
// A few batches run at a time. A batch takes all items that wait when it begins, up to a limit:
// under load many items share one transaction, and a single item waits for no other. Of items in
// the same group only one batch at a time has any, because a second batch would only wait for the
// locks of the first; this also keeps their order.
//
// Thread safety: none; its owner locks.
#pragma once

#include <algorithm>
#include <cstddef>
#include <list>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

namespace um {

struct BatchLimits {
  std::size_t waiting = 4096;  // beyond it: refused
  std::size_t batch = 256;     // larger: fewer commits under load, a longer wait for the first
  std::size_t running = 4;     // batches at a time
};

// An entry has a member function group(), which returns a hashable value. Entries of which each is
// a group of its own return their address.
template <class Entry>
class BatchQueue {
 public:
  using Ticket = std::shared_ptr<Entry>;
  using Batch = std::vector<Ticket>;
  using Group = decltype(std::declval<const Entry&>().group());

  explicit BatchQueue(BatchLimits limits) : limits_{limits} {}

  // False: full.
  bool push(Ticket ticket) {
    if (waiting_.size() >= limits_.waiting) return false;
    waiting_.push_back(std::move(ticket));
    return true;
  }
  // The next batch, in the order of arrival. Empty: no item may start, or the limit of running
  // batches is reached. finish() must follow for each batch that is not empty.
  Batch take() {
    Batch batch;
    if (running_ == limits_.running) return batch;
    for (auto it = waiting_.begin(); it != waiting_.end() && batch.size() < limits_.batch;) {
      if (may_start(*it)) {
        batch.push_back(std::move(*it));
        it = waiting_.erase(it);
      } else {
        ++it;
      }
    }
    for (const Ticket& ticket : batch) ++busy_[ticket->group()];
    if (!batch.empty()) ++running_;
    return batch;
  }
  void finish(const Batch& batch) {
    --running_;
    for (const Ticket& ticket : batch) {
      const auto group = busy_.find(ticket->group());
      if (--group->second == 0) busy_.erase(group);
    }
  }
  // False: the item does not wait any more; its batch is running or finished.
  bool withdraw(const Ticket& ticket) { return std::erase(waiting_, ticket) > 0; }
  // The item that take() would take first; null if it would take none.
  Ticket next() const {
    if (running_ == limits_.running) return nullptr;
    const auto it = std::ranges::find_if(waiting_, [&](const Ticket& t) { return may_start(t); });
    return it == waiting_.end() ? nullptr : *it;
  }
  std::size_t waiting() const { return waiting_.size(); }

 private:
  bool may_start(const Ticket& ticket) const { return !busy_.contains(ticket->group()); }

  const BatchLimits limits_;
  std::list<Ticket> waiting_;
  std::unordered_map<Group, std::size_t> busy_;  // groups in running batches, with their items
  std::size_t running_ = 0;
};

}  // namespace um
