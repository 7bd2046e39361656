// UsageQueue: usage that waits to be recorded, and which of it may go into the next transaction.
//
// A few transactions ("flights") are under way at a time, and each takes all that waits when it
// begins, up to a limit: under load many records share one commit, alone one waits for nobody. A
// user is in one flight at a time: others of the same user would only wait for the lock of its row,
// and so their order is kept.
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
    std::size_t flights = 4;
  };
  // Whoever waits derives from it.
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
  // What may fly now, in the order of arrival; empty: nothing, or as many flights as there may be.
  // Each batch that is not empty has to land().
  std::vector<Ticket> take();
  void land(const std::vector<Ticket>& batch);
  // False: it waits no more, it flies or has landed.
  bool withdraw(const Ticket& ticket);
  // Whom take() would take first; null if nobody.
  Ticket next() const;
  std::size_t waiting() const { return waiting_.size(); }

 private:
  bool may_fly(const Ticket& ticket) const { return !flying_.contains(ticket->record.user); }

  const Limits limits_;
  std::list<Ticket> waiting_;
  std::unordered_map<UserId, std::size_t> flying_;  // users in flights, with their records
  std::size_t flights_ = 0;
};

}  // namespace um
