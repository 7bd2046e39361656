// Making and describing the Ed25519 keys that tokens are signed with. Thread safety: any.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "storage/signing_key_store.hpp"

namespace um {

// A new key pair from the system's random generator. Its kid does not begin with '-', so that it
// can be an argument of a command.
SigningKey make_signing_key(WallTime now);

// The `kid`: RFC 7638 thumbprint (SHA-256, base64url) of an Ed25519 public key as JWK (RFC 8037).
// REQUIRES: 32 bytes.
std::string key_thumbprint(std::string_view public_key);

// Does it verify tokens at `now`: not revoked, and not retired for longer than tokens live?
bool verifies(const SigningKey& key, WallTime now);
// Does it sign new ones? Among several the newest does.
bool signs(const SigningKey& key);

// The public halves as a JWK Set (RFC 7517 section 5).
std::string jwks_document(std::span<const SigningKey> keys);

}  // namespace um
