// Numbers of one Client, over all of its loops.
#pragma once

#include <cstddef>
#include <cstdint>

namespace um::pg {

struct Stats {
  struct Kind {
    std::size_t open = 0;       // connections
    std::size_t busy = 0;       // of these, with something in flight or taken by a transaction
    std::size_t in_flight = 0;  // calls sent and not answered
    std::size_t waiting = 0;    // calls not sent yet
    std::uint64_t opened = 0;   // from here on: since the start
    std::uint64_t connect_failures = 0;
    std::uint64_t lost = 0;        // open connections that were lost
    std::uint64_t stalled = 0;     // of these, closed because no answer came
    std::uint64_t overloaded = 0;  // calls refused
    std::uint64_t timeouts = 0;    // calls whose deadline passed
    std::uint64_t repeated = 0;    // statements prepared anew, transactions run again
  };
  Kind look_ups{};
  Kind scans{};
  Kind transactions{};
};

}  // namespace um::pg
