// FailureWindow: how many sign-ins failed under a name in the last minutes, and how many are under
// way, for any number of names in constant memory.
//
// A count-min sketch (Cormode, Muthukrishnan: "An Improved Data Stream Summary", 2005) over a
// sliding window: every name has one cell in each of four rows, each cell counts for all the names
// that share it, and the smallest of the four is the estimate. So an estimate is never below the
// truth, and no name gets past a limit. An estimate is above the truth only for a name that shares
// all four cells with names that failed as often. Which names share a cell depends on a random key
// (SipHash), so a client cannot arrange it, and such a name is refused no longer than the window,
// like any other.
//
// The window slides in steps of a fifteenth: a failure counts for at least the window and at most
// one step longer. Thread safety: none; the owner locks.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/siphash.hpp"

namespace um {

class FailureWindow {
 public:
  struct Options {
    std::chrono::nanoseconds window = std::chrono::minutes{15};
    std::size_t cells_per_row = 32768;  // 40 bytes each, four rows; rounded up to a power of two
    SipKey key{};
  };
  static constexpr std::size_t kRows = 4;
  // The four cells of one name.
  struct Name {
    std::array<std::uint32_t, kRows> cells{};
    bool shares_cell_with(const Name& other) const;
  };
  struct Count {
    std::uint32_t failures = 0;
    std::uint32_t total = 0;  // failures and sign-ins under way
  };

  explicit FailureWindow(Options options);

  Name name(std::string_view text) const;
  Count count(const Name& name, BootTime now);
  // How long until `failures` is below `limit` if nothing else happens; zero if it is.
  struct Limit {
    std::uint32_t failures = 0;
  };
  std::chrono::nanoseconds until_below(const Name& name, Limit limit, BootTime now);

  void begin(const Name& name);  // one more under way
  void end(const Name& name);    // REQUIRES: begun
  void add_failure(const Name& name, BootTime now);

 private:
  static constexpr std::uint32_t kSteps = 16;  // fifteen whole ones and the current one
  struct Cell {
    std::array<std::uint16_t, kSteps> failures{};  // by step number modulo kSteps
    std::uint32_t step = 0;                        // the newest that is counted
    std::uint16_t under_way = 0;
  };
  std::uint32_t step_of(BootTime now) const;
  Cell& cell(const Name& name, std::size_t row);
  Cell& current(const Name& name, std::size_t row, std::uint32_t step);
  static std::uint32_t sum(const Cell& cell);

  std::chrono::nanoseconds step_;
  SipKey key_;
  std::uint64_t mask_;
  std::vector<Cell> cells_;  // row after row
};

}  // namespace um
