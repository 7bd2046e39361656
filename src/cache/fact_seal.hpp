// FactSeal: authenticates the entries of L2, and hides the keys in their names.
//
//   entry   "UF" · schema (2 bytes) · fact (fact_codec.hpp) · MAC (16)
//   MAC     HMAC-SHA-256 (RFC 2104; cut as its section 5 allows) over the length of the cache key,
//           the cache key, and the entry up to the MAC
//   name    "um:<deployment>:<schema>:<128 bits of HMAC-SHA-256 over the cache key>"
//
// Making an entry requires the deployment's key. An entry that was moved to another name, truncated
// or changed does not verify. A name reveals neither an address nor a session id, and the names of
// two deployments or two schemas in one server differ. The MAC and the name have keys of their own,
// which are derived from the deployment's key.
//
// Pure; any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "base/secret.hpp"
#include "cache/l2_store.hpp"

namespace um {

// Why an entry is rejected. Each fault is a miss, and each is counted.
enum class EntryFault : std::uint8_t {
  oversized,
  truncated,  // too short to be an entry
  foreign,    // not an entry of this program, or of another schema
  forged,     // the MAC is another: changed, moved, or written without the key
  malformed,  // the MAC is right, and the fact is still unreadable: a bug
};
inline constexpr std::size_t kEntryFaults = 5;
// By EntryFault.
inline constexpr std::array<std::string_view, kEntryFaults> kEntryFaultNames{
    "oversized", "truncated", "foreign", "forged", "malformed"};
inline std::string_view to_string(EntryFault fault) {
  return kEntryFaultNames.at(static_cast<std::size_t>(fault));
}

class FactSeal {
 public:
  static constexpr std::size_t kMaxEntryBytes = std::size_t{64} << 10;
  static constexpr std::size_t kMinKeyBytes = 16;

  // Throws std::invalid_argument if the key is shorter than kMinKeyBytes.
  explicit FactSeal(const Secret& deployment_key);

  // The name of the cache key's entry in the store.
  std::string name(std::string_view key) const;
  // "um:<deployment>:", for other things that the deployment stores there.
  const std::string& prefix() const { return prefix_; }

  // The result may be longer than kMaxEntryBytes; open() refuses such an entry.
  std::string seal(std::string_view key, const Fact& fact) const;
  std::expected<Fact, EntryFault> open(std::string_view key, std::string_view entry) const;

 private:
  std::string mac(std::string_view key, std::string_view head) const;

  Secret mac_key_;
  Secret name_key_;
  std::string prefix_;
};

}  // namespace um
