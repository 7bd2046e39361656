#include "auth/tokens/verified_tokens.hpp"

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include <openssl/evp.h>

namespace um {
namespace {

// OpenSSL looks an algorithm up by name for every one-shot digest, which costs more than hashing a
// token. One prepared context per thread avoids the look-up; it keeps nothing between calls.
class Sha256 {
 public:
  Sha256() : algorithm_{EVP_MD_fetch(nullptr, "SHA256", nullptr)}, context_{EVP_MD_CTX_new()} {}
  ~Sha256() {
    EVP_MD_CTX_free(context_);
    EVP_MD_free(algorithm_);
  }
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  TokenDigest operator()(std::string_view bytes) {
    TokenDigest digest{};
    if (algorithm_ == nullptr || context_ == nullptr ||
        EVP_DigestInit_ex(context_, algorithm_, nullptr) != 1 ||
        EVP_DigestUpdate(context_, bytes.data(), bytes.size()) != 1 ||
        EVP_DigestFinal_ex(context_, digest.data(), nullptr) != 1) {
      throw std::runtime_error("SHA-256 failed");
    }
    return digest;
  }

 private:
  EVP_MD* algorithm_;
  EVP_MD_CTX* context_;
};

std::uint64_t word(const TokenDigest& digest, std::size_t index) {
  std::uint64_t value = 0;
  std::memcpy(&value, digest.data() + 8 * index, sizeof value);
  return value;
}

}  // namespace

TokenDigest digest_token(std::string_view token) {
  thread_local Sha256 sha256;
  return sha256(token);
}

VerifiedTokens::VerifiedTokens(std::size_t capacity) {
  const std::size_t sets = std::max<std::size_t>(1, capacity / (kShards * kWays));
  for (Shard& shard : shards_) shard.sets.resize(sets);
}

VerifiedTokens::Slot VerifiedTokens::slot(const TokenDigest& digest) {
  Shard& shard = shards_[word(digest, 0) % kShards];
  return {.shard = shard, .set = shard.sets[word(digest, 1) % shard.sets.size()]};
}

std::optional<TokenSubject> VerifiedTokens::find(const TokenDigest& digest, WallTime now) {
  const Slot place = slot(digest);
  const std::lock_guard lock{place.shard.mutex};
  for (const Entry& entry : place.set) {
    if (entry.subject && entry.digest == digest && entry.generation == generation() &&
        now < entry.until) {
      ++place.shard.stats.hits;
      return entry.subject;
    }
  }
  ++place.shard.stats.misses;
  return std::nullopt;
}

void VerifiedTokens::insert(const Insert& made) {
  const Slot place = slot(made.digest);
  const std::lock_guard lock{place.shard.mutex};
  const std::uint64_t current = generation();
  if (made.generation != current) return;
  // Replaces the entry of the same token, else a useless one, else the one that expires first.
  const auto rank = [&](const Entry& entry) {
    if (entry.digest == made.digest) return WallTime::min();
    if (!entry.subject || entry.generation != current) return WallTime::min();
    return entry.until;
  };
  auto same = std::ranges::find(place.set, made.digest, &Entry::digest);
  Entry& entry = same != place.set.end() ? *same : *std::ranges::min_element(place.set, {}, rank);
  entry = {.digest = made.digest,
           .generation = made.generation,
           .until = made.until,
           .subject = made.subject};
}

VerifiedTokens::Stats VerifiedTokens::stats() const {
  Stats sum;
  for (const Shard& shard : shards_) {
    const std::lock_guard lock{shard.mutex};
    sum.hits += shard.stats.hits;
    sum.misses += shard.stats.misses;
  }
  return sum;
}

}  // namespace um
