// FeedDelivery: brings polls, and this process' own writes, to the cache in an order in which no
// own write is lost and no lease is too long. The decisions of the feed without its thread, its
// lock and its connection: the feed runs them, the simulation runs them on a simulated database.
//
// Own writes. before_commit() and after_commit() pass on hold and settle. Two cases need more:
//  - A poll that flushes throws the cache's log away. A write that settled after that poll was sent
//    is not in the poll's snapshot, so its log entry would be lost.
//  - A write was committed in another namespace than that of the last poll, or its transaction id
//    is not known. Its log entry would mean nothing.
// The keys of such writes stay held until a poll that was sent later has been applied.
//
// A poll is delivered in three steps: begin(), apply(), finish(). Between the first two no own
// write may settle if the poll flushes.
//
// Thread safety: none. The feed's lock guards begin(), before_commit() and after_commit(), and
// apply() of a poll that flushes. finish(), and apply() of any other poll, use the listener alone,
// which is set before the feed's thread starts.
#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "storage/postgres/feed_steps.hpp"
#include "storage/postgres/polls.hpp"
#include "storage/postgres/write_observer.hpp"

namespace um {

class FeedDelivery {
 public:
  using WriteEnd = PostgresWriteObserver::WriteEnd;

  // `steps` outlives the delivery.
  explicit FeedDelivery(FeedSteps& steps) : steps_{steps} {}

  void start(ChangeListener& listener) { listener_ = &listener; }
  // Own writes that end later are delivered to nobody.
  void stop() { listener_ = nullptr; }
  bool has_listener() const { return listener_ != nullptr; }

  void before_commit(std::span<const std::string> keys);
  // `now`: read under the lock.
  void after_commit(std::span<const std::string> keys, const WriteEnd& end, BootTime now);

  // Nothing is answered from memory until a later poll: before a join is sent, and before an
  // instance leaves.
  void end_lease() { listener_->end_lease(); }
  // False: the registry has no row for this instance any more, and its lease has ended.
  bool acknowledged(std::size_t rows, const Snapshot& seen);
  bool refreshed(std::size_t rows, std::int64_t others, BootTime sent_at);

  void disconnected(BootTime now) { disconnected_at_ = now; }
  // There is still no connection, so no poll releases the keys of own writes. When the lease from
  // before is over, nothing is answered from memory until a poll that is sent later has flushed
  // it, and the keys need no hold. `bound`: T. REQUIRES: steps start over at the next poll.
  void without_connection(BootTime now, std::chrono::nanoseconds bound);

  struct Delivery {
    FeedSteps::Applied applied{};
    bool flushes = false;  // no own write may settle between begin() and apply()
    std::vector<std::vector<std::string>> released{};
  };
  // nullopt: the poll must not be applied; the next one is due at once. `now`: when the answer
  // arrived, read under the lock.
  std::optional<Delivery> begin(PostgresPolls::Answer answer, const FeedSteps::Settings& settings,
                                BootTime now);
  Leftovers apply(const Delivery& delivery) { return listener_->apply(delivery.applied.poll); }
  void finish(const Delivery& delivery);

 private:
  bool row_is_there(std::size_t rows);

  // Keys that stay held until a poll that was sent after `since` has been applied.
  struct HeldOn {
    BootTime since;
    std::vector<std::string> keys;
  };
  FeedSteps& steps_;
  ChangeListener* listener_ = nullptr;
  SettledWrites settled_;
  std::vector<HeldOn> held_on_;
  Tau tau_{};  // of the last poll
  BootTime disconnected_at_{};
};

}  // namespace um
