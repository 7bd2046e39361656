// PostgresRegistry: when this instance has to refresh its row in the registry of instances, and
// which other instances were silent for so long that their rows are deleted (docs/consistency.md,
// "The registry"). Pure: the feed runs the statements.
//
// Silence is measured with this process' own elapsed time, never with a wall clock: the row of an
// instance is deleted when its counter stayed the same for X. X is longer than Y, after which the
// silent instance itself has stopped answering from memory.
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
  // A statement sent at `sent_at` registered, or refreshed, this instance.
  void joined(std::string id, BootTime sent_at);
  void refreshed(BootTime sent_at) { last_refresh_ = sent_at; }
  void expelled();
  bool refresh_due(BootTime now) const { return now >= last_refresh_ + times_.refresh_every; }

  // `all`: the rows that a statement sent at `now` read. Returns those to delete, if their counter
  // is still the same.
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
