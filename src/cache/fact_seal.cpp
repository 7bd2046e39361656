#include "cache/fact_seal.hpp"

#include <stdexcept>

#include <openssl/crypto.h>

#include "base/hmac.hpp"
#include "base/text.hpp"
#include "cache/bytes.hpp"
#include "cache/fact_codec.hpp"

namespace um {
namespace {

constexpr std::string_view kMagic = "UF";
constexpr std::size_t kMacBytes = 16;
constexpr std::size_t kNameBytes = 16;
constexpr std::size_t kDeploymentBytes = 4;  // distinguishes deployments, protects nothing
constexpr std::size_t kHeaderBytes = 4;

// Derives a separate key for each purpose.
std::string derived(std::string_view key, std::string_view purpose) {
  return hmac_sha256({.key = key, .text = purpose});
}

std::string header() {
  ByteWriter out;
  out.raw(kMagic);
  out.number(kFactSchema);
  return out.take();
}

}  // namespace

FactSeal::FactSeal(const Secret& deployment_key) {
  const std::string_view key = deployment_key.reveal();
  if (key.size() < kMinKeyBytes) throw std::invalid_argument("the key of the cache is too short");
  mac_key_ = Secret{derived(key, "user-manager fact entry")};
  name_key_ = Secret{derived(key, "user-manager fact name")};
  prefix_ =
      "um:" + hex_text(derived(key, "user-manager deployment").substr(0, kDeploymentBytes)) + ":";
}

std::string FactSeal::name(std::string_view key) const {
  return prefix_ + std::to_string(kFactSchema) + ":" +
         hex_text(hmac_sha256({.key = name_key_.reveal(), .text = key}).substr(0, kNameBytes));
}

std::string FactSeal::mac(std::string_view key, std::string_view head) const {
  ByteWriter all;
  all.number(std::uint64_t{key.size()});
  all.raw(key);
  all.raw(head);
  const std::string text = all.take();
  return hmac_sha256({.key = mac_key_.reveal(), .text = text}).substr(0, kMacBytes);
}

std::string FactSeal::seal(std::string_view key, const Fact& fact) const {
  std::string entry = header() + encode_fact(fact);
  entry += mac(key, entry);
  return entry;
}

std::expected<Fact, EntryFault> FactSeal::open(std::string_view key, std::string_view entry) const {
  if (entry.size() > kMaxEntryBytes) return std::unexpected{EntryFault::oversized};
  if (entry.size() < kHeaderBytes + kMacBytes) return std::unexpected{EntryFault::truncated};
  if (!entry.starts_with(header())) return std::unexpected{EntryFault::foreign};
  const std::string_view head = entry.substr(0, entry.size() - kMacBytes);
  const std::string expected = mac(key, head);
  if (::CRYPTO_memcmp(expected.data(), entry.data() + head.size(), kMacBytes) != 0)
    return std::unexpected{EntryFault::forged};
  auto fact = decode_fact(key, head.substr(kHeaderBytes));
  if (!fact) return std::unexpected{EntryFault::malformed};
  return std::move(*fact);
}

}  // namespace um
