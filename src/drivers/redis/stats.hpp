// What the client counts. A plain value; everything counts from the start of the client.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "drivers/redis/failure.hpp"

namespace um::redis {

struct Stats {
  std::size_t links = 0;      // one for each event loop
  std::size_t connected = 0;  // of them, now
  std::size_t open = 0;       // circuit breakers that let nothing through, now
  std::size_t probing = 0;    // of them, trying again at this moment

  std::uint64_t calls = 0;  // all of these end as one of the following
  std::uint64_t answers = 0;
  std::uint64_t timeouts = 0;
  std::uint64_t lost = 0;         // the connection ended
  std::uint64_t unavailable = 0;  // failed at once: no connection, or the breaker is open
  std::uint64_t overloaded = 0;   // failed at once: too many under way
  std::uint64_t cancelled = 0;
  std::array<std::uint64_t, kErrorClasses> refused{};  // error replies, by ErrorClass

  std::uint64_t dropped = 0;      // background commands that were not even tried
  std::uint64_t connections = 0;  // made; all but the first of each link are reconnects
  std::uint64_t breaker_openings = 0;
  std::array<std::uint64_t, kBreakages> breakages{};  // connections that ended or failed, by reason
  std::string last_breakage{};                        // for people
};

}  // namespace um::redis
