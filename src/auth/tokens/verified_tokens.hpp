// VerifiedTokens: remembers which tokens have a valid signature, so that Ed25519 is paid once per
// token and not once per request.
//
// Keyed by the SHA-256 of the whole token. Bounded: a fixed number of entries, set-associative, the
// one in its set that expires first makes room. Invariants:
//  1. An entry is never used at or past its expiry.
//  2. An entry is used only in the generation it was made in. A change of the keys starts a new
//     generation, so a verification that still runs with the old keys cannot add an entry to the
//     new one.
// Thread safety: any thread; find() takes the lock of one shard and does not allocate.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

#include "auth/tokens/token.hpp"

namespace um {

using TokenDigest = std::array<std::uint8_t, 32>;
// SHA-256.
TokenDigest digest_token(std::string_view token);

class VerifiedTokens {
 public:
  // About 130 bytes an entry, rounded up to whole sets; too few cost a verification per miss.
  explicit VerifiedTokens(std::size_t capacity);

  std::optional<TokenSubject> find(const TokenDigest& digest, WallTime now);
  struct Insert {
    TokenDigest digest;
    TokenSubject subject;
    WallTime until;                // exp, or earlier
    std::uint64_t generation = 0;  // as read before the keys that verified it
  };
  void insert(const Insert& entry);

  std::uint64_t generation() const { return generation_.load(std::memory_order_acquire); }
  // Forgets every entry.
  void start_generation(std::uint64_t generation) {
    generation_.store(generation, std::memory_order_release);
  }

  struct Stats {
    std::uint64_t hits = 0;
    std::uint64_t misses = 0;
  };
  Stats stats() const;

 private:
  static constexpr std::size_t kShards = 32;
  static constexpr std::size_t kWays = 4;
  struct Entry {
    TokenDigest digest{};
    std::uint64_t generation = 0;
    WallTime until{};
    std::optional<TokenSubject> subject{};
  };
  using Set = std::array<Entry, kWays>;
  struct alignas(64) Shard {
    mutable std::mutex mutex;
    std::vector<Set> sets;
    Stats stats;
  };
  struct Slot {
    Shard& shard;
    Set& set;
  };
  Slot slot(const TokenDigest& digest);

  std::array<Shard, kShards> shards_;
  std::atomic<std::uint64_t> generation_{0};
};

}  // namespace um
