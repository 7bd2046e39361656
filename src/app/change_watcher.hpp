// ChangeWatcher: a ChangeListener that passes everything on and calls `keys` when the signing keys
// may have changed: a poll names them, or has changes that it cannot name. The signing keys are
// kept in memory outside of the cache, so their owner reads them again then.
//
// Thread safety: that of ChangeListener; `keys` is called on the feed's thread and must not block.
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
    std::function<void(BootTime at)> unchanged;  // from the poll before until `at`
  };
  // `next` outlives the watcher.
  ChangeWatcher(ChangeListener& next, Keys keys) : next_{next}, keys_{std::move(keys)} {}

  void hold(std::span<const std::string> keys) override { next_.hold(keys); }
  void settle(std::span<const std::string> keys, std::optional<Xid> xid) override {
    next_.settle(keys, xid);
  }
  Leftovers apply(const Poll& poll) override {
    // Before next_.apply(): the poll renews the lease, and old keys must be gone by then.
    if (poll.flush_reason || std::ranges::any_of(poll.changes, concerns_keys)) {
      keys_.changed();
    } else {
      keys_.unchanged(poll.sent_at);
    }
    return next_.apply(poll);
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
