// SettledWrites: the keys of this process' own writes since the question of the last poll, so that
// a poll that makes the cache start from nothing does not make it forget them (see
// postgres_change_feed.hpp). Bounded; when there are too many, it says so.
//
// Thread safety: none; guarded by its owner.
#pragma once

#include <cstddef>
#include <deque>
#include <span>
#include <string>
#include <vector>

#include "base/clock.hpp"

namespace um {

class SettledWrites {
 public:
  explicit SettledWrites(std::size_t max_keys = 100'000) : max_keys_{max_keys} {}

  // REQUIRES: not before any earlier one.
  void add(BootTime settled_at, std::span<const std::string> keys);
  // A poll was sent then: what was settled before is in its answer's snapshot.
  void forget_until(BootTime sent_at);
  // Is everything that was settled after that moment still known?
  bool complete_since(BootTime sent_at) const { return forgotten_at_ <= sent_at; }
  std::vector<std::string> keys() const;

 private:
  struct Write {
    BootTime at;
    std::vector<std::string> keys;
  };
  const std::size_t max_keys_;
  std::deque<Write> writes_;  // oldest first
  std::size_t keys_ = 0;      // in writes_
  BootTime forgotten_at_ = BootTime::min();
};

}  // namespace um
