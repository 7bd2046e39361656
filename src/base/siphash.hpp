// SipHash (Aumasson, Bernstein: "SipHash: a fast short-input PRF", Indocrypt 2012): a keyed hash
// whose collisions cannot be made by somebody who does not know the key.
//
// 2-4 is the one of the paper. 1-3, with fewer rounds, is the usual one for tables in memory, where
// nobody sees a hash. Pure; any thread.
#pragma once

#include <cstdint>
#include <string_view>

namespace um {

struct SipKey {
  std::uint64_t k0 = 0;
  std::uint64_t k1 = 0;
  static SipKey random();
};

std::uint64_t siphash_2_4(SipKey key, std::string_view bytes);
std::uint64_t siphash_1_3(SipKey key, std::string_view bytes);

}  // namespace um
