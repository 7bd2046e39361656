// ChangeFeed: tells a cache which keys changed in the database, whichever program changed them.
//
// A feed calls its listener from threads of its own. The listener does not block and does not call
// back. For one write of this process the calls come in the order: hold, commit in the database,
// settle. PostgreSQL's feed turns the result of each poll into apply(). SQLite's feed calls hold()
// and settle() around each commit of this process, and apply() every poll interval
// (docs/consistency.md).
//
// Every feed promises:
//  1. settle() has returned before the write that it belongs to is answered.
//  2. Every commit that hold() and settle() do not announce is in the result of some apply() at
//     most T later, as changes or as a flush; otherwise no apply() happens.
//  3. `sent_at` was read before the poll was sent to the database.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/database_times.hpp"
#include "storage/snapshot.hpp"

namespace um {

// The mode and the times of the cache protocol that are properties of a deployment: every instance
// must use the same ones. PostgreSQL stores them (cache_settings); `migrate` writes them.
// docs/consistency.md explains the letters.
struct CacheTimes {
  using ms = std::chrono::milliseconds;
  Consistency mode = Consistency::strict;
  ms staleness_bound{500};       // T
  ms instance_lease{6'000};      // Y: without an acknowledged refresh for so long there is no lease
  ms instance_reap{15'000};      // X: then a silent instance is deleted from the registry; above Y
  ms change_retention{900'000};  // of changes and marks
  bool operator==(const CacheTimes&) const = default;
};
// Whether both belong to the same namespace: everything but the retention is part of it.
constexpr bool same_namespace(const CacheTimes& a, const CacheTimes& b) {
  return a.mode == b.mode && a.staleness_bound == b.staleness_bound &&
         a.instance_lease == b.instance_lease && a.instance_reap == b.instance_reap;
}

struct Change {
  Xid xid;
  std::string key;  // empty: every key
};

struct Poll {
  BootTime sent_at;
  Stamp stamp;                       // S' and τ'
  std::vector<Change> changes{};     // those that became visible since the previous poll
  std::vector<std::string> holds{};  // every key held in the database now
  // Set if the feed cannot vouch for an unbroken sequence: the listener flushes everything.
  std::optional<std::string_view> flush_reason{};  // a static string, for the metrics
  // Of a poll that flushes: `changes` are all that became visible since this snapshot, so values
  // older than `stamp` can be judged too. nullopt: only values as new as `stamp` can be judged, and
  // `changes` mean nothing.
  std::optional<Snapshot> base{};
  std::optional<BootTime> received_at{};  // when the answer arrived; for the metrics
  bool gives_lease = true;                // false: it ends the one there is
};

// Leftovers: what a listener removed from its memory. The destructor frees it, which takes about
// 0.1 s for a flush of 200,000 entries: a feed destroys it after it has released its locks.
//
// Thread safety: as any value. What is left over must not use the listener.
class Leftovers {
 public:
  Leftovers() = default;
  template <class T>
  explicit Leftovers(std::unique_ptr<T> removed)
      : removed_{removed.release(), [](void* all) { delete static_cast<T*>(all); }} {}
  bool empty() const { return removed_ == nullptr; }

 private:
  std::unique_ptr<void, void (*)(void*)> removed_{nullptr, [](void*) {}};
};

class ChangeListener {
 public:
  virtual ~ChangeListener() = default;
  // These keys are about to change: until settle() no read of them is answered from memory. Holds
  // are counted, because several writes may hold the same key at once.
  virtual void hold(std::span<const std::string> keys) = 0;
  // The writes to these keys ended. `xid`: the writes were committed under it, or may have been.
  // nullopt: they were surely not committed, or a flush that was applied since hold() covers them.
  virtual void settle(std::span<const std::string> keys, std::optional<Xid> xid) = 0;
  [[nodiscard]] virtual Leftovers apply(const Poll& poll) = 0;
  // Feeds with a registry of instances: a refresh that was sent at `sent_at` was acknowledged.
  virtual void acknowledge_refresh(BootTime /*sent_at*/) {}
  // The registry has no row for this instance any more: no lease until the next acknowledgement.
  virtual void end_lease() {}
};

class ChangeFeed {
 public:
  virtual ~ChangeFeed() = default;
  // Called before the first write or read. `listener` outlives stop(). At most one listener.
  virtual void start(ChangeListener& listener) = 0;
  // No call of the listener begins after stop() returned.
  virtual void stop() = 0;
};

}  // namespace um
