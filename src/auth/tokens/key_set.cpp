#include "auth/tokens/key_set.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "auth/tokens/signing_keys.hpp"

namespace um {

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
