// SipHash-2-4 (Aumasson, Bernstein: "SipHash: a fast short-input PRF", 2012): a keyed hash whose
// collisions cannot be made by somebody who does not know the key. Thread safety: any.
#pragma once

#include <cstdint>
#include <string_view>

namespace um {

struct SipKey {
  std::uint64_t k0 = 0;
  std::uint64_t k1 = 0;
  static SipKey random();
};

std::uint64_t siphash(SipKey key, std::string_view bytes);

}  // namespace um
