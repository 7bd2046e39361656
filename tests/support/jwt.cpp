#include "support/jwt.hpp"

#include <array>
#include <memory>
#include <stdexcept>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "support/json.hpp"

namespace um::e2e {
namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

std::string base64url(std::string_view bytes) {
  std::string out;
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char c : bytes) {
    bits = (bits << 8U) | static_cast<unsigned char>(c);
    for (count += 8; count >= 6; count -= 6) out += kAlphabet[(bits >> (count - 6)) & 63U];
  }
  if (count > 0) out += kAlphabet[(bits << (6 - count)) & 63U];
  return out;
}

std::string from_base64url(std::string_view text) {
  std::string out;
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char c : text) {
    const auto value = kAlphabet.find(c);
    if (value == std::string_view::npos)
      throw std::runtime_error("not base64url: " + std::string{text});
    bits = (bits << 6U) | static_cast<std::uint32_t>(value);
    count += 6;
    if (count >= 8) {
      count -= 8;
      out += static_cast<char>((bits >> count) & 255U);
    }
  }
  return out;
}

Jwt take_apart(std::string_view token) {
  const auto first = token.find('.');
  const auto second = token.find('.', first + 1);
  if (second == std::string_view::npos) throw std::runtime_error("not a compact JWT");
  return {.header = parse_json(from_base64url(token.substr(0, first))),
          .claims = parse_json(from_base64url(token.substr(first + 1, second - first - 1))),
          .signed_part = std::string{token.substr(0, second)},
          .signature = from_base64url(token.substr(second + 1))};
}

bool verifies(const Jwt& token, const boost::json::value& key_set) {
  const auto kid = text_at(token.header, "/kid");
  for (const auto& key : key_set.at("keys").as_array()) {
    if (text_at(key, "/kid") != kid || text_at(key, "/kty") != "OKP") continue;
    const std::string raw = from_base64url(text_at(key, "/x"));
    const std::unique_ptr<EVP_PKEY, decltype(&::EVP_PKEY_free)> public_key{
        ::EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, bytes_of(raw), raw.size()),
        &::EVP_PKEY_free};
    const std::unique_ptr<EVP_MD_CTX, decltype(&::EVP_MD_CTX_free)> context{::EVP_MD_CTX_new(),
                                                                            &::EVP_MD_CTX_free};
    if (!public_key) return false;
    ::EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, public_key.get());
    return ::EVP_DigestVerify(context.get(), bytes_of(token.signature), token.signature.size(),
                              bytes_of(token.signed_part), token.signed_part.size()) == 1;
  }
  return false;
}

std::string sign_hs256(const Hs256& parts) {
  const std::string text = base64url(parts.header) + "." + base64url(parts.claims);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  ::HMAC(::EVP_sha256(), parts.secret.data(), static_cast<int>(parts.secret.size()), bytes_of(text),
         text.size(), digest.data(), &size);
  return text + "." + base64url({reinterpret_cast<const char*>(digest.data()), size});
}

}  // namespace um::e2e
