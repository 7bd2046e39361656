// AttemptStore: the counters behind limits on guessing that all instances on one database share:
// how many sign-ins failed in the last minutes under names, and how many are under way. A name is
// given as its cells in a sketch (auth/attempts/attempt_sketch.hpp); the store knows no names.
//
// What counts: failures of the last kWindow, in steps of a fifteenth of it, so for at most one step
// longer; places that were never ended for 60 to 90 seconds. Bounded, whatever the number of names.
//
// Thread safety: any thread.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>

#include "base/deadline.hpp"
#include "base/error.hpp"
#include "async/task.hpp"

namespace um {

class AttemptStore {
 public:
  static constexpr std::chrono::minutes kWindow{15};
  static constexpr std::size_t kRows = 4;

  // No cell of one kind is one of the other, and no two of one name are the same.
  struct Cells {
    std::array<std::int32_t, kRows> account{};
    std::array<std::int32_t, kRows> address{};
  };
  struct Take {
    Cells cells;
    int account_limit;  // 1 to 30,000
    int address_limit;
  };
  struct Answer {
    enum class Kind : std::uint8_t {
      taken,   // number: for End
      busy,    // over a limit only because of sign-ins under way
      refused  // number: for so many milliseconds
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
