// ChangeWatcher: a ChangeListener that passes everything on and tells when the signing keys may
// have been changed: a poll names them, or says that there were changes that it cannot name. They
// are kept in memory outside of the cache; whoever keeps them then looks again.
//
// Thread safety: as ChangeListener; `on_change` is called on the feed's thread and must not block.
#pragma once

#include <algorithm>
#include <functional>
#include <utility>

#include "storage/cache_key.hpp"
#include "storage/change_feed.hpp"

namespace um {

class ChangeWatcher final : public ChangeListener {
 public:
  // `next` outlives the watcher.
  ChangeWatcher(ChangeListener& next, std::function<void()> on_change)
      : next_{next}, on_change_{std::move(on_change)} {}

  void hold(std::span<const std::string> keys) override { next_.hold(keys); }
  void settle(std::span<const std::string> keys, std::optional<Xid> xid) override {
    next_.settle(keys, xid);
  }
  void apply(const Poll& poll) override {
    next_.apply(poll);
    const bool concerned = poll.flush_reason || std::ranges::any_of(poll.changes, concerns_keys);
    if (concerned) on_change_();
  }
  void acknowledge_refresh(BootTime sent_at) override { next_.acknowledge_refresh(sent_at); }
  void end_lease() override { next_.end_lease(); }

 private:
  static bool concerns_keys(const Change& change) {
    return change.key.empty() || change.key == kSigningKeysChange;
  }

  ChangeListener& next_;
  std::function<void()> on_change_;
};

}  // namespace um
