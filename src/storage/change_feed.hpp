// ChangeFeed: how a cache learns what was changed in the database, by whomever.
//
// A feed calls its listener from threads of its own; the listener does not block and does not call
// back. The order of calls for one write by this instance is hold, commit in the database, settle.
// PostgreSQL's feed turns the result of its poll into apply(); SQLite's calls hold and settle
// around each commit of this process and apply() every poll interval (see docs/consistency.md).
//
// Promises of a feed:
//  1. settle() has returned before the write that it belongs to is answered.
//  2. Every commit that is not announced by hold/settle is in the result of some apply() at most T
//     later, as changes or as a flush, or no apply() happens.
//  3. `sent_at` was read before the question went to the database.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "storage/snapshot.hpp"

namespace um {

struct Change {
  Xid xid;
  std::string key;  // empty: everything
};

struct Poll {
  BootTime sent_at;
  Stamp stamp;                       // S' and τ'
  std::vector<Change> changes{};     // what became visible since the previous poll
  std::vector<std::string> holds{};  // every key held in the database now
  // Set if the feed cannot vouch for an unbroken sequence: the listener starts from nothing.
  std::optional<std::string_view> flush_reason{};  // a static string, for the metrics
  // Of a poll that makes the listener start from nothing: `changes` are all that became visible
  // since this snapshot, so older values than `stamp` can be judged too. nullopt: only what is as
  // new as `stamp` can, and `changes` mean nothing.
  std::optional<Snapshot> base{};
  std::optional<BootTime> received_at{};  // the answer; for the metrics
};

class ChangeListener {
 public:
  virtual ~ChangeListener() = default;
  // These keys are about to change: from now until settle() nobody is answered from memory for
  // them. Counted: the same key may be held by several writes at once.
  virtual void hold(std::span<const std::string> keys) = 0;
  // The writes to these keys ended. `xid`: they were committed under it, or possibly were. nullopt:
  // surely not, or a flush that was applied since hold() has forgotten all that was older.
  virtual void settle(std::span<const std::string> keys, std::optional<Xid> xid) = 0;
  virtual void apply(const Poll& poll) = 0;
  // Of feeds with a registry of instances: a refresh that was sent at `sent_at` was acknowledged.
  virtual void acknowledge_refresh(BootTime /*sent_at*/) {}
  // The registry does not know this instance any more: no lease until the next acknowledgement.
  virtual void end_lease() {}
};

class ChangeFeed {
 public:
  virtual ~ChangeFeed() = default;
  // Before the first write or read; `listener` outlives stop(). At most one listener.
  virtual void start(ChangeListener& listener) = 0;
  // No call of the listener begins after stop() returned.
  virtual void stop() = 0;
};

}  // namespace um
