// JWS in compact form (RFC 7515): exactly three base64url parts, with a header that this service
// could have written itself.
//
// Accepted header members are `alg`, `kid` and `typ` (only "JWT"). Everything else is refused:
// `crit` because it demands extensions that are not implemented, `jwk`, `jku`, `x5u` because a
// token must not bring its own key, and the rest because this service writes no other. Thread
// safety: any.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "auth/tokens/jws_key.hpp"
#include "base/json.hpp"

namespace um {

constexpr std::size_t kMaxTokenBytes = 4096;

// A JSON object with at most kMaxFlatMembers members, all scalars: a JOSE header, or the claims of
// a token. nullopt: any other text, and everything that read_json() refuses. The most important of
// these refusals is that of a name that appears twice (RFC 7515, section 4).
constexpr std::size_t kMaxFlatMembers = 32;
std::optional<JsonValue> read_flat_json(std::string_view text);

struct Jws {
  std::string_view signing_input;  // the first two parts; points into the parsed text
  std::string algorithm;
  std::string kid;  // empty if there is none
  std::string payload;
  std::string signature;
};

// nullopt unless well formed and at most kMaxTokenBytes long. Does not check the signature.
std::optional<Jws> parse_jws(std::string_view text);

// Is the JWS signed by this key, and does it name this key's algorithm and kid?
bool verify_jws(const Jws& jws, const JwsKey& key);

// REQUIRES: key.can_sign().
std::string sign_jws(std::string_view payload, const JwsKey& key);

}  // namespace um
