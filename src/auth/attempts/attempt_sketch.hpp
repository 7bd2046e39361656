// AttemptSketch: which counters a name has where instances count attempts together (Redis, the
// database). One in each of four rows, chosen by a key that all instances share and that nobody who
// guesses knows (SipHash); see failure_window.hpp for what the sketch is.
//
// Thread safety: immutable.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "auth/attempts/attempt_limiter.hpp"
#include "base/secret.hpp"
#include "base/siphash.hpp"

namespace um {

class AttemptSketch {
 public:
  static constexpr std::size_t kRows = 4;
  static constexpr std::int32_t kAccountCells = 32'768;  // per row; powers of two, at most 2^16
  static constexpr std::int32_t kAddressCells = 8'192;
  static constexpr int kHighestLimit = 30'000;  // counters have 16 bits

  // `deployment_key`: the same for all instances.
  explicit AttemptSketch(const Secret& deployment_key);

  // Row after row: 0 to kRows * cells - 1.
  using Cells = std::array<std::int32_t, kRows>;
  Cells account(std::string_view name) const { return cells(name, kAccountCells); }
  Cells address(std::string_view name) const { return cells(name, kAddressCells); }

 private:
  Cells cells(std::string_view name, std::int32_t per_row) const;
  SipKey key_;
};

// Throws std::invalid_argument unless each limit is from 1 to kHighestLimit and the window is at
// least a minute.
void check_shared_limits(const AttemptLimits& limits);

}  // namespace um
