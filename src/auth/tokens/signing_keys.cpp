#include "auth/tokens/signing_keys.hpp"

#include <stdexcept>

#include <openssl/evp.h>

#include "auth/tokens/base64url.hpp"
#include "base/json_writer.hpp"
#include "base/random.hpp"

namespace um {
namespace {

constexpr std::size_t kKeyBytes = 32;

std::string public_half(std::string_view seed) {
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key{
      EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr,
                                   reinterpret_cast<const unsigned char*>(seed.data()),
                                   seed.size()),
      EVP_PKEY_free};
  std::string bytes(kKeyBytes, '\0');
  std::size_t size = bytes.size();
  if (!key ||
      EVP_PKEY_get_raw_public_key(key.get(), reinterpret_cast<unsigned char*>(bytes.data()),
                                  &size) != 1 ||
      size != kKeyBytes) {
    throw std::runtime_error("making an Ed25519 key failed");
  }
  return bytes;
}

}  // namespace

SigningKey make_signing_key(WallTime now) {
  for (;;) {
    std::string seed(kKeyBytes, '\0');
    fill_random(std::as_writable_bytes(std::span{seed}));
    Secret private_key{std::move(seed)};
    std::string public_key = public_half(private_key.reveal());
    std::string kid = key_thumbprint(public_key);
    // On a command line it would be taken for an option. One in 64 is.
    if (kid.starts_with('-')) continue;
    return {.kid = std::move(kid),
            .public_key = std::move(public_key),
            .private_key = std::move(private_key),
            .created_at = now};
  }
}

std::string key_thumbprint(std::string_view public_key) {
  // RFC 7638 section 3.3: the required members in alphabetical order, without white space.
  JsonWriter json;
  json.open_object().member("crv", "Ed25519").member("kty", "OKP");
  json.member("x", base64url_encode(public_key)).close();
  std::string digest(32, '\0');
  if (EVP_Digest(json.text().data(), json.text().size(),
                 reinterpret_cast<unsigned char*>(digest.data()), nullptr, EVP_sha256(),
                 nullptr) != 1) {
    throw std::runtime_error("SHA-256 failed");
  }
  return base64url_encode(digest);
}

bool verifies(const SigningKey& key, WallTime now) {
  return !key.revoked_at && (!key.verify_until || now < *key.verify_until);
}

bool signs(const SigningKey& key) {
  return !key.revoked_at && !key.retired_at;
}

std::string jwks_document(std::span<const SigningKey> keys) {
  JsonWriter json;
  json.open_object().key("keys").open_array();
  for (const SigningKey& key : keys) {
    json.open_object()
        .member("kty", "OKP")
        .member("crv", "Ed25519")
        .member("x", base64url_encode(key.public_key))
        .member("kid", key.kid)
        .member("alg", "EdDSA")
        .member("use", "sig")
        .close();
  }
  return json.close().close().take();
}

}  // namespace um
