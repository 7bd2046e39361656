#include "cache/key_hash.hpp"

#include <bit>
#include <cstring>

#include "base/random.hpp"

namespace um {
namespace {

struct State {
  std::uint64_t v0, v1, v2, v3;

  void round() {
    v0 += v1;
    v1 = std::rotl(v1, 13) ^ v0;
    v0 = std::rotl(v0, 32);
    v2 += v3;
    v3 = std::rotl(v3, 16) ^ v2;
    v0 += v3;
    v3 = std::rotl(v3, 21) ^ v0;
    v2 += v1;
    v1 = std::rotl(v1, 17) ^ v2;
    v2 = std::rotl(v2, 32);
  }
  void absorb(std::uint64_t word) {
    v3 ^= word;
    round();
    v0 ^= word;
  }
};

}  // namespace

KeyHash::Seed KeyHash::random_seed() {
  return {.low = random_u64(), .high = random_u64()};
}

std::uint64_t KeyHash::operator()(std::string_view bytes) const {
  State s{seed_.low ^ 0x736f6d6570736575, seed_.high ^ 0x646f72616e646f6d,
          seed_.low ^ 0x6c7967656e657261, seed_.high ^ 0x7465646279746573};
  const std::uint64_t length = bytes.size();
  std::uint64_t word = 0;
  for (; bytes.size() >= 8; bytes.remove_prefix(8)) {
    std::memcpy(&word, bytes.data(), 8);
    s.absorb(word);
  }
  word = 0;
  if (!bytes.empty()) std::memcpy(&word, bytes.data(), bytes.size());
  s.absorb(word | (length << 56));
  s.v2 ^= 0xff;
  s.round();
  s.round();
  s.round();
  return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

}  // namespace um
