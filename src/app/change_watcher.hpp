// ChangeWatcher: a ChangeListener that passes everything on and tells whether the signing keys may
// have been changed: a poll names them, or says that there were changes that it cannot name. They
// are kept in memory outside of the cache; whoever keeps them then looks again.
//
// Thread safety: as ChangeListener; `keys` is called on the feed's thread and must not block.
#pragma once

#include <algorithm>
#include <functional>
#include <utility>

#include "storage/cache_key.hpp"
#include "storage/change_feed.hpp"

namespace um {

class ChangeWatcher final : public ChangeListener {
 public:
  struct Keys {
    std::function<void()> changed;
    std::function<void(BootTime at)> unchanged;  // up to then, since the poll before
  };
  // `next` outlives the watcher.
  ChangeWatcher(ChangeListener& next, Keys keys) : next_{next}, keys_{std::move(keys)} {}

  void hold(std::span<const std::string> keys) override { next_.hold(keys); }
  void settle(std::span<const std::string> keys, std::optional<Xid> xid) override {
    next_.settle(keys, xid);
  }
  void apply(const Poll& poll) override {
    // First: the lease that the poll renews is not for what it took away.
    if (poll.flush_reason || std::ranges::any_of(poll.changes, concerns_keys)) {
      keys_.changed();
    } else {
      keys_.unchanged(poll.sent_at);
    }
    next_.apply(poll);
  }
  void acknowledge_refresh(BootTime sent_at) override { next_.acknowledge_refresh(sent_at); }
  void end_lease() override { next_.end_lease(); }

 private:
  static bool concerns_keys(const Change& change) {
    return change.key.empty() || change.key == kSigningKeysChange;
  }

  ChangeListener& next_;
  Keys keys_;
};

}  // namespace um
