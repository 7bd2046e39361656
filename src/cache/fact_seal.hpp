// FactSeal: what makes an entry of a shared store believable, and hides what it is about.
//
//   entry   "UF" · schema (2 bytes) · fact (fact_codec.hpp) · MAC (16)
//   MAC     HMAC-SHA-256 (RFC 2104; cut as its section 5 allows) over the length of the cache key,
//           the cache key, and the entry up to the MAC
//   name    "um:<deployment>:<schema>:<128 bits of HMAC-SHA-256 over the cache key>"
//
// Only who knows the deployment's key can make an entry; one that was moved to another name, cut or
// changed does not verify. The names tell neither addresses nor session ids, and two deployments or
// two schemas in one server do not meet. Both use keys of their own, derived from the one given.
//
// Pure; any thread.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "base/secret.hpp"
#include "cache/l2_store.hpp"

namespace um {

// Why an entry is not believed. Each is a miss, and each is counted.
enum class EntryFault : std::uint8_t {
  oversized,
  truncated,  // too short to be an entry
  foreign,    // not an entry of this program, or of another schema
  forged,     // the MAC is another: changed, moved, or written without the key
  malformed,  // sealed by us and still unreadable; a bug
};
inline constexpr std::size_t kEntryFaults = 5;
std::string_view to_string(EntryFault fault);

class FactSeal {
 public:
  static constexpr std::size_t kMaxEntryBytes = std::size_t{64} << 10;
  static constexpr std::size_t kMinKeyBytes = 16;

  // Throws std::invalid_argument if the key is shorter than kMinKeyBytes.
  explicit FactSeal(const Secret& deployment_key);

  // Under which name the store keeps what belongs to the cache key.
  std::string name(std::string_view key) const;
  // "um:<deployment>:", for what else the deployment keeps there.
  const std::string& prefix() const { return prefix_; }

  // May be longer than kMaxEntryBytes; such an entry is not worth storing.
  std::string seal(std::string_view key, const Fact& fact) const;
  std::expected<Fact, EntryFault> open(std::string_view key, std::string_view entry) const;

 private:
  std::string mac(std::string_view key, std::string_view head) const;

  Secret mac_key_;
  Secret name_key_;
  std::string prefix_;
};

}  // namespace um
