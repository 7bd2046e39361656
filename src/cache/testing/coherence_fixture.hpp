// CoherenceTest: a fixture for tests of Coherence. Polls, fills and look-ups are sequences of
// calls, because the protocol has no threads of its own.
#pragma once

#include <gtest/gtest.h>

#include "cache/coherence.hpp"
#include "cache/testing/cache_stage.hpp"

namespace um {

using namespace std::chrono_literals;

inline constexpr auto kT = 500ms;

inline BootTime at(std::chrono::milliseconds time) {
  return BootTime{time};
}
inline L1Value value(std::int64_t number) {
  return *UserId::from(number);
}

inline CoherenceSettings small() {
  return {.staleness_bound = kT,
          .capacity_bytes = 1 << 20,
          .shards = 4,
          .max_log_entries = 1000,
          .max_poll_changes = 100};
}

class CoherenceTest : public ::testing::Test {
 protected:
  using Keys = std::vector<std::string>;

  struct Polled {
    BootTime sent_at = at(1000ms);
    Stamp stamp{};
    std::vector<Change> changes{};
    Keys holds{};
    std::optional<std::string_view> flush_reason{};
    std::optional<Snapshot> base{};
    std::optional<BootTime> received_at{};
  };
  void poll(const Polled& p) {
    cache.apply({p.sent_at, p.stamp, p.changes, p.holds, p.flush_reason, p.base, p.received_at});
  }
  void start() { poll({.stamp = stamp(10)}); }
  std::int64_t remembered(const std::string& key) {
    const auto found = cache.look_up(key);
    return found && std::holds_alternative<UserId>(*found) ? std::get<UserId>(*found).value() : 0;
  }
  bool knows(const std::string& key) { return cache.look_up(key).has_value(); }
  Admission fill(const std::string& key, std::int64_t number, const Stamp& read_in) {
    return cache.admit(key, read_in, value(number));
  }
  CoherenceStats stats() { return cache.stats(at(1000ms)); }

  Coherence cache{small(), {.k0 = 1, .k1 = 2}};
  const std::string k = "user:1";
  const Keys keys{k};
};

}  // namespace um
