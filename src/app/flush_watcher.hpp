// FlushWatcher: a ChangeListener that passes everything on and tells when a poll says that others
// changed something that it cannot name. Whoever keeps knowledge of the database outside the cache
// (the signing keys) then looks again.
//
// Thread safety: as ChangeListener; `on_flush` is called on the feed's thread and must not block.
#pragma once

#include <functional>
#include <utility>

#include "storage/change_feed.hpp"

namespace um {

class FlushWatcher final : public ChangeListener {
 public:
  // `next` outlives the watcher.
  FlushWatcher(ChangeListener& next, std::function<void()> on_flush)
      : next_{next}, on_flush_{std::move(on_flush)} {}

  void hold(std::span<const std::string> keys) override { next_.hold(keys); }
  void settle(std::span<const std::string> keys, std::optional<Xid> xid) override {
    next_.settle(keys, xid);
  }
  void apply(const Poll& poll) override {
    next_.apply(poll);
    if (poll.flush_reason) on_flush_();
  }
  void acknowledge_refresh(BootTime sent_at) override { next_.acknowledge_refresh(sent_at); }
  void end_lease() override { next_.end_lease(); }

 private:
  ChangeListener& next_;
  std::function<void()> on_flush_;
};

}  // namespace um
