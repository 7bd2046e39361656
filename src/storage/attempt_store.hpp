// AttemptStore: the counters behind the limits on guessing, for all instances on a database: how
// many sign-ins of an account and of an address failed in the last minutes, and how many are under
// way. The store knows no accounts and addresses, only their cells in a sketch
// (auth/attempts/attempt_sketch.hpp).
//
// A failure counts for kWindow, in steps of a fifteenth of it, so for at most one step longer. The
// places of a dead instance count for 60 to 90 seconds. The number of cells is bounded, whatever
// the number of accounts and addresses.
//
// Thread safety: any thread.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>

#include "async/task.hpp"
#include "base/deadline.hpp"
#include "base/error.hpp"

namespace um {

class AttemptStore {
 public:
  static constexpr std::chrono::minutes kWindow{15};
  static constexpr std::size_t kRows = 4;
  static constexpr int kHighestLimit = 30'000;  // cells have 16 bits

  // An account and an address have no cell in common, and the four of each differ.
  struct Cells {
    std::array<std::int32_t, kRows> account{};
    std::array<std::int32_t, kRows> address{};
  };
  struct Take {
    Cells cells;
    int account_limit;  // 1 to kHighestLimit
    int address_limit;  // the same
  };
  struct Answer {
    enum class Kind : std::uint8_t {
      taken,   // number: for End
      busy,    // over a limit only because of sign-ins under way
      refused  // number: milliseconds until it may be taken
    };
    Kind kind;
    std::int64_t number = 0;
  };
  struct End {
    Cells cells;
    std::int64_t taken;
    bool failed;
  };

  virtual ~AttemptStore() = default;
  // One atomic step.
  virtual Task<Result<Answer>> take(Take take, Deadline deadline) = 0;
  virtual Task<Result<void>> end(End end, Deadline deadline) = 0;
};

}  // namespace um
