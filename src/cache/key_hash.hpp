// KeyHash: one keyed hash per look-up, which selects the shard and the bucket.
//
// The key is random in every process: users choose their e-mail addresses, so with an unkeyed hash
// they could choose the bucket as well.
//
// Thread safety: immutable after construction.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "base/siphash.hpp"

namespace um {

struct HashedKey {
  std::string_view bytes;
  std::uint64_t hash;
};

class KeyHash {
 public:
  using Seed = SipKey;
  static Seed random_seed() { return SipKey::random(); }

  explicit KeyHash(Seed seed) : seed_{seed} {}
  std::uint64_t operator()(std::string_view bytes) const { return siphash_1_3(seed_, bytes); }
  HashedKey hashed(std::string_view bytes) const { return {bytes, (*this)(bytes)}; }

 private:
  Seed seed_;
};

// Lets unordered containers of std::string search by string_view without a copy. Only for keys that
// come from the database, not from requests.
struct StringHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const {
    return std::hash<std::string_view>{}(text);
  }
};

}  // namespace um
