// LeavingListener: a ChangeListener with leftovers of each poll that flushes. It calls a function
// when they are freed.
//
// Thread safety: the function is called on a thread of the feed.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

#include "storage/change_feed.hpp"

namespace um::test {

class LeavingListener final : public ChangeListener {
 public:
  explicit LeavingListener(std::function<void()> when_freed) : when_freed_{std::move(when_freed)} {}

  void hold(std::span<const std::string>) override {}
  void settle(std::span<const std::string>, std::optional<Xid>) override {}
  Leftovers apply(const Poll& poll) override {
    ++polls;
    if (!poll.flush_reason) return {};
    return Leftovers{std::make_unique<Removed>(when_freed_)};
  }

  std::atomic<std::uint64_t> polls = 0;

 private:
  class Removed {
   public:
    explicit Removed(const std::function<void()>& when_freed) : when_freed_{when_freed} {}
    Removed(const Removed&) = delete;
    Removed& operator=(const Removed&) = delete;
    ~Removed() { when_freed_(); }

   private:
    const std::function<void()>& when_freed_;
  };

  const std::function<void()> when_freed_;
};

}  // namespace um::test
