// UsageQueue: usage that waits to be recorded, and which of it may go into the next transaction.
//
// A few transactions, each with a batch of records, run at a time. A batch takes all records that
// wait when it begins, up to a limit: under load many records share one commit, and a single record
// waits for no other. A user is in one batch at a time, because a second batch would only wait for
// the lock of the user's row; this also keeps the order of its records.
//
// Thread safety: none; its owner locks.
#pragma once

#include <cstddef>
#include <list>
#include <memory>
#include <unordered_map>
#include <vector>

#include "storage/user_store.hpp"

namespace um {

class UsageQueue {
 public:
  struct Limits {
    std::size_t waiting = 4096;  // beyond it: refused
    std::size_t batch = 256;     // larger: fewer commits under load, a longer wait for the first
    std::size_t running = 4;     // batches at a time
  };
  // A record that waits; the owner of the queue derives its own type.
  struct Entry {
    virtual ~Entry() = default;
    UsageRecord record;
    Deadline deadline;
    explicit Entry(UsageRecord usage, Deadline until) : record{std::move(usage)}, deadline{until} {}
  };
  using Ticket = std::shared_ptr<Entry>;

  explicit UsageQueue(Limits limits) : limits_{limits} {}

  // False: full.
  bool push(Ticket ticket);
  // The next batch, in the order of arrival. Empty: no record may start, or the limit of running
  // batches is reached. finish() must follow for each batch that is not empty.
  std::vector<Ticket> take();
  void finish(const std::vector<Ticket>& batch);
  // False: the record does not wait any more; its batch is running or finished.
  bool withdraw(const Ticket& ticket);
  // The record that take() would take first; null if it would take none.
  Ticket next() const;
  std::size_t waiting() const { return waiting_.size(); }

 private:
  bool may_start(const Ticket& ticket) const { return !busy_.contains(ticket->record.user); }

  const Limits limits_;
  std::list<Ticket> waiting_;
  std::unordered_map<UserId, std::size_t>
      busy_;  // users in running batches, with their number of records
  std::size_t running_ = 0;
};

}  // namespace um
