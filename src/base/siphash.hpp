// SipHash (Aumasson, Bernstein: "SipHash: a fast short-input PRF", Indocrypt 2012): a keyed hash;
// inputs that collide cannot be chosen without the key.
//
// siphash_2_4 is the variant of the paper. siphash_1_3 has fewer rounds and is usual for tables in
// memory, because no client sees their hashes. Pure; thread safety: any.
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
