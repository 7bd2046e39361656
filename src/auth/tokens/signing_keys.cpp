#include "auth/tokens/signing_keys.hpp"

#include <algorithm>
#include <stdexcept>

#include <fmt/format.h>
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
    // A command would take a kid that begins with '-' for an option. One in 64 does.
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

KeySet::KeySet() : jwks_{std::make_shared<const std::string>(jwks_document({}))} {}

KeySet::KeySet(std::shared_ptr<const JwsKey> secret) : KeySet{} {
  signer_ = secret;
  keys_.push_back({.key = std::move(secret)});
}

KeySet::KeySet(std::span<const SigningKey> keys, ReadAt read_at) : asked_{read_at.asked} {
  std::vector<SigningKey> published;
  for (const SigningKey& stored : keys) {
    if (!verifies(stored, read_at.now)) continue;
    auto key = JwsKey::ed25519(stored);
    if (!key) continue;
    if (!signer_ && signs(stored) && key->can_sign()) signer_ = key;
    const auto until = stored.verify_until ? stored.verify_until->time_since_epoch().count() : 0;
    fingerprint_ += fmt::format("{} {} {}\n", stored.kid, until, signer_ == key);
    keys_.push_back({.key = std::move(key), .verify_until = stored.verify_until});
    published.push_back({.kid = stored.kid, .public_key = stored.public_key, .private_key = {}});
  }
  jwks_ = std::make_shared<const std::string>(jwks_document(published));
}

const KeySet::Key* KeySet::find(std::string_view kid) const {
  const auto found =
      std::ranges::find_if(keys_, [kid](const Key& key) { return key.key->kid() == kid; });
  return found == keys_.end() ? nullptr : &*found;
}

}  // namespace um
