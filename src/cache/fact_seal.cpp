#include "cache/fact_seal.hpp"

#include <array>
#include <stdexcept>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "cache/bytes.hpp"
#include "cache/fact_codec.hpp"

namespace um {
namespace {

constexpr std::string_view kMagic = "UF";
constexpr std::size_t kMacBytes = 16;
constexpr std::size_t kNameBytes = 16;
constexpr std::size_t kDeploymentBytes = 4;  // to tell apart, not to protect
constexpr std::size_t kHeaderBytes = 4;

const unsigned char* octets(std::string_view text) {
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): characters as OpenSSL takes them
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::string hmac(std::string_view key, std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (::HMAC(::EVP_sha256(), key.data(), static_cast<int>(key.size()), octets(text), text.size(),
             digest.data(), &size) == nullptr)
    throw std::runtime_error("HMAC failed");
  return {digest.begin(), digest.begin() + size};
}

std::string hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    text += kDigits[byte >> 4U];
    text += kDigits[byte & 0xFU];
  }
  return text;
}

std::string header() {
  ByteWriter out;
  out.raw(kMagic);
  out.number(kFactSchema);
  return out.take();
}

}  // namespace

std::string_view to_string(EntryFault fault) {
  switch (fault) {
    case EntryFault::oversized:
      return "oversized";
    case EntryFault::truncated:
      return "truncated";
    case EntryFault::foreign:
      return "foreign";
    case EntryFault::forged:
      return "forged";
    case EntryFault::malformed:
      return "malformed";
  }
  return "malformed";
}

FactSeal::FactSeal(const Secret& deployment_key) {
  const std::string_view key = deployment_key.reveal();
  if (key.size() < kMinKeyBytes) throw std::invalid_argument("the key of the cache is too short");
  mac_key_ = Secret{hmac(key, "user-manager fact entry")};
  name_key_ = Secret{hmac(key, "user-manager fact name")};
  prefix_ = "um:" + hex(hmac(key, "user-manager deployment").substr(0, kDeploymentBytes)) + ":";
}

std::string FactSeal::name(std::string_view key) const {
  return prefix_ + std::to_string(kFactSchema) + ":" +
         hex(hmac(name_key_.reveal(), key).substr(0, kNameBytes));
}

std::string FactSeal::mac(std::string_view key, std::string_view head) const {
  ByteWriter all;
  all.number(std::uint64_t{key.size()});
  all.raw(key);
  all.raw(head);
  return hmac(mac_key_.reveal(), all.take()).substr(0, kMacBytes);
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
