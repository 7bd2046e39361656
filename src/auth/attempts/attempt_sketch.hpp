// AttemptSketch: the counters of an account and of an address in the AttemptStore that instances
// share: one in each of four rows, chosen by SipHash with a key that all instances know and no
// client does. failure_window.hpp describes the sketch.
//
// Thread safety: immutable.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "auth/attempts/attempt_limiter.hpp"
#include "base/secret.hpp"
#include "base/siphash.hpp"
#include "storage/attempt_store.hpp"

namespace um {

class AttemptSketch {
 public:
  static constexpr std::int32_t kAccountCells = 32'768;  // per row; powers of two, at most 2^16
  static constexpr std::int32_t kAddressCells = 8'192;

  // `deployment_key`: the same for all instances.
  explicit AttemptSketch(const Secret& deployment_key);

  // REQUIRES: `subject.address` is an address_group(). Accounts have the cells 0 to 4 *
  // kAccountCells - 1, row after row; the cells of addresses follow.
  AttemptStore::Cells cells(const AttemptLimiter::Subject& subject) const;

 private:
  SipKey key_;
};

}  // namespace um
