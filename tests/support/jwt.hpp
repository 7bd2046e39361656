// Parses, verifies and forges tokens with OpenSSL only, independently of the program's code.
#pragma once

#include <string>
#include <string_view>

#include <boost/json/value.hpp>

namespace um::e2e {

struct Jwt {
  boost::json::value header;
  boost::json::value claims;
  std::string signed_part;  // "header.payload"
  std::string signature;    // raw bytes
};

std::string base64url(std::string_view bytes);
// Throws std::runtime_error on anything outside the alphabet.
std::string from_base64url(std::string_view text);

Jwt take_apart(std::string_view token);

// Whether the key with the token's `kid` in this key set signed it (RFC 7517, RFC 8037).
bool verifies(const Jwt& token, const boost::json::value& key_set);

// HMAC-SHA256, for tokens of a shared secret: `header` and `claims` are JSON texts.
struct Hs256 {
  std::string header = R"({"alg":"HS256","typ":"JWT"})";
  std::string claims{};
  std::string secret{};
};
std::string sign_hs256(const Hs256& parts);

}  // namespace um::e2e
