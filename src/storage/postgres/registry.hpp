// PostgresRegistry: when this instance has to refresh its place in the registry of instances, and
// which others have been silent for so long that they are taken out of it (docs/consistency.md,
// "The registry"). Pure: the feed runs the statements.
//
// Silence is measured with this process' own elapsed time: an instance goes when its counter stayed
// the same for X here, whatever any wall clock says. X is longer than Y, after which the silent
// instance itself has stopped answering from memory.
//
// Thread safety: none; it belongs to the feed's thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/clock.hpp"

namespace um {

class PostgresRegistry {
 public:
  struct Times {
    std::chrono::nanoseconds refresh_every = std::chrono::seconds{2};
    std::chrono::nanoseconds silence = std::chrono::seconds{15};  // X
  };
  explicit PostgresRegistry(Times times) : times_{times} {}

  struct Instance {
    std::string id;
    std::int64_t refreshes;
    bool operator==(const Instance&) const = default;
  };

  bool registered() const { return !id_.empty(); }
  const std::string& id() const { return id_; }
  // Registered, or refreshed, by a statement sent at `sent_at`.
  void joined(std::string id, BootTime sent_at);
  void refreshed(BootTime sent_at) { last_refresh_ = sent_at; }
  void expelled();
  bool refresh_due(BootTime now) const { return now >= last_refresh_ + times_.refresh_every; }

  // All instances, as read from the database by a statement sent at `now`: the ones to take out, if
  // their counter is still the same.
  std::vector<Instance> silent(const std::vector<Instance>& all, BootTime now);

 private:
  struct Seen {
    std::int64_t refreshes;
    BootTime since;
  };
  Times times_;
  std::string id_;
  BootTime last_refresh_ = BootTime::min();
  std::map<std::string, Seen> seen_;
};

}  // namespace um
