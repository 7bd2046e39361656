#include "base/siphash.hpp"

#include <bit>
#include <cstring>

#include "base/random.hpp"

namespace um {
namespace {

struct Rounds {
  int per_word;
  int at_the_end;
};

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
  template <int kTimes>
  void rounds() {
    for (int i = 0; i < kTimes; ++i) round();
  }
};

std::uint64_t little_endian(std::string_view bytes) {
  static_assert(std::endian::native == std::endian::little);
  std::uint64_t word = 0;
  if (!bytes.empty()) std::memcpy(&word, bytes.data(), bytes.size());
  return word;
}

template <Rounds kRounds>
std::uint64_t siphash(SipKey key, std::string_view bytes) {
  State state{.v0 = key.k0 ^ 0x736f6d6570736575U,
              .v1 = key.k1 ^ 0x646f72616e646f6dU,
              .v2 = key.k0 ^ 0x6c7967656e657261U,
              .v3 = key.k1 ^ 0x7465646279746573U};
  const auto absorb = [&state](std::uint64_t word) {
    state.v3 ^= word;
    state.rounds<kRounds.per_word>();
    state.v0 ^= word;
  };
  const std::uint64_t length = bytes.size();
  for (; bytes.size() >= 8; bytes.remove_prefix(8)) absorb(little_endian(bytes.substr(0, 8)));
  absorb(little_endian(bytes) | (length << 56U));
  state.v2 ^= 0xFF;
  state.rounds<kRounds.at_the_end>();
  return state.v0 ^ state.v1 ^ state.v2 ^ state.v3;
}

}  // namespace

SipKey SipKey::random() {
  return {.k0 = random_u64(), .k1 = random_u64()};
}

std::uint64_t siphash_2_4(SipKey key, std::string_view bytes) {
  return siphash<Rounds{.per_word = 2, .at_the_end = 4}>(key, bytes);
}

std::uint64_t siphash_1_3(SipKey key, std::string_view bytes) {
  return siphash<Rounds{.per_word = 1, .at_the_end = 3}>(key, bytes);
}

}  // namespace um
