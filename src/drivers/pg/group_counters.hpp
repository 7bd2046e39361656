// The numbers of one group: written on its loop, read from any thread.
#pragma once

#include <atomic>
#include <cstdint>

#include "drivers/pg/group.hpp"

namespace um::pg {

struct Group::Counters {
  std::atomic<std::size_t> open{0}, busy{0}, in_flight{0}, waiting{0};
  std::atomic<std::uint64_t> opened{0}, connect_failures{0}, lost{0}, stalled{0}, overloaded{0},
      timeouts{0}, repeated{0};

  Stats::Kind read() const {
    constexpr auto kRelaxed = std::memory_order_relaxed;
    return {.open = open.load(kRelaxed),
            .busy = busy.load(kRelaxed),
            .in_flight = in_flight.load(kRelaxed),
            .waiting = waiting.load(kRelaxed),
            .opened = opened.load(kRelaxed),
            .connect_failures = connect_failures.load(kRelaxed),
            .lost = lost.load(kRelaxed),
            .stalled = stalled.load(kRelaxed),
            .overloaded = overloaded.load(kRelaxed),
            .timeouts = timeouts.load(kRelaxed),
            .repeated = repeated.load(kRelaxed)};
  }
};

}  // namespace um::pg
